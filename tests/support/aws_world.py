#!/usr/bin/env python3
"""AWS by real moto on loopback, holding what MARA makes. Needs moto and boto3 (ci/local/real-parts moto).

Prints its port, then answers each line of stdin, a JSON object, with a line of JSON:

    {"do": "mara", "stack": "envd-1", "region": "us-east-1"}     what MARA's projects make, and what the cluster makes
                                                          by itself: {kind: id}
    {"do": "call", "service": "ec2", "region": "...", "method": "delete_volume", "with": {...}}    any call of boto3
    {"do": "roles", "count": 120}                         so many that they come in pages
    {"do": "gate", "secret": "...", "deny": [ACTION...], "busy": n}   from now on every request's signature must be the
                                                          one that botocore makes with that secret (moto's own check
                                                          refuses botocore's for GETs); what is named is denied, and
                                                          the next n are told to come less often
    {"do": "reset"}                                       nothing is there, no gate
"""
import hashlib
import json
import logging
import os
import sys

logging.getLogger("werkzeug").setLevel(logging.ERROR)
os.environ.update(AWS_ACCESS_KEY_ID="seed", AWS_SECRET_ACCESS_KEY="seed", AWS_EC2_METADATA_DISABLED="true",
                  MOTO_IAM_LOAD_MANAGED_POLICIES="false")

import threading  # noqa: E402
from io import BytesIO  # noqa: E402

import boto3  # noqa: E402
import requests  # noqa: E402
from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402


class Gate:
    """In front of moto: what moto itself cannot refuse."""
    REFUSED = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"

    def __init__(self, inner):
        self.inner, self.secret, self.deny, self.busy = inner, None, [], 0

    def why_not(self, environ, body):
        words = dict(part.partition("=")[::2] for part in
                     environ.get("HTTP_AUTHORIZATION", "").removeprefix("AWS4-HMAC-SHA256 ").split(", "))
        key, _, region, service, _ = words["Credential"].split("/")
        names = words["SignedHeaders"].split(";")
        headers = {name: environ.get("CONTENT_TYPE" if name == "content-type" else
                                     "HTTP_" + name.upper().replace("-", "_"), "not sent") for name in names}
        url = f"http://{environ['HTTP_HOST']}{environ['RAW_URI']}"
        request = AWSRequest(method=environ["REQUEST_METHOD"], url=url, data=body, headers=headers)
        request.context["timestamp"] = environ["HTTP_X_AMZ_DATE"]
        auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key, self.secret), service, region)
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if words["Signature"] != expected:
            return "SignatureDoesNotMatch", "it is not the one that botocore makes"
        if "x-amz-content-sha256" in names and headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch", "it is another body"
        action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or body.decode()
        if any(f"Action={one}&" in action or one == action for one in self.deny):
            return "AccessDenied", "envd may not do that"
        if self.busy > 0:
            self.busy -= 1
            return "Throttling", "Rate exceeded"
        return None

    def __call__(self, environ, start_response):
        if self.secret and not environ.get("HTTP_USER_AGENT", "").startswith(("Boto3", "python-requests")):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
            refusal = self.why_not(environ, body)
            if refusal:
                start_response("400 Bad Request" if refusal[0] == "Throttling" else "403 Forbidden",
                               [("Content-Type", "text/xml")])
                return [self.REFUSED.format(*refusal).encode()]
        return self.inner(environ, start_response)


gate = Gate(DomainDispatcherApplication(create_backend_app))
server = make_server("127.0.0.1", 0, gate, threaded=True)
port = server.server_port
ENDPOINT = f"http://127.0.0.1:{port}"
threading.Thread(target=server.serve_forever, daemon=True).start()


def client(service, region="us-east-1"):
    return boto3.client(service, region_name=region, endpoint_url=ENDPOINT)


def tags_of(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def make_mara(stack, region):
    """The network, cluster and registry with their tags, the role without; then what the cluster makes."""
    ec2, elb, elbv2 = client("ec2", region), client("elb", region), client("elbv2", region)
    own = tags_of(Project="aws-vpc", Stack=stack)
    made = {}
    made["vpc"] = ec2.create_vpc(CidrBlock="10.100.0.0/16")["Vpc"]["VpcId"]
    made["subnet"] = ec2.create_subnet(VpcId=made["vpc"], CidrBlock="10.100.0.0/24")["Subnet"]["SubnetId"]
    other = ec2.create_subnet(VpcId=made["vpc"], CidrBlock="10.100.1.0/24")["Subnet"]["SubnetId"]
    ec2.create_tags(Resources=[made["vpc"], made["subnet"], other], Tags=own)
    made["role"] = client("iam").create_role(RoleName=f"eks-iam-role-{stack[-4:]}",
                                             AssumeRolePolicyDocument="{}")["Role"]["RoleName"]
    made["cluster"] = f"aws-eks-{stack}-eksCluster"
    client("eks", region).create_cluster(
        name=made["cluster"], roleArn=f"arn:aws:iam::123456789012:role/{made['role']}",
        resourcesVpcConfig={"subnetIds": [made["subnet"], other]}, tags={"Stack": stack})
    made["registry"] = f"ingress-controller-{stack}"
    client("ecr", region).create_repository(repositoryName=made["registry"])
    owned = tags_of(**{f"kubernetes.io/cluster/{made['cluster']}": "owned"})
    made["classic"] = f"a{stack[-4:]}classic"
    elb.create_load_balancer(LoadBalancerName=made["classic"], Tags=owned, AvailabilityZones=[region + "a"], Listeners=[
        {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}])
    made["balancer"] = elbv2.create_load_balancer(Name=f"k8s-{stack[-4:]}", Subnets=[made["subnet"], other],
                                                  Tags=owned)["LoadBalancers"][0]["LoadBalancerArn"]
    made["volume"] = ec2.create_volume(AvailabilityZone=region + "a", Size=8, TagSpecifications=[
        {"ResourceType": "volume", "Tags": owned}])["VolumeId"]
    made["stray"] = ec2.create_volume(AvailabilityZone=region + "a", Size=8, TagSpecifications=[
        {"ResourceType": "volume", "Tags": tags_of(**{"kubernetes.io/created-for/pvc/name": "data-0"})}])["VolumeId"]
    return made


def make_roles(count):
    for number in range(count):
        client("iam").create_role(RoleName=f"someone-{number}", AssumeRolePolicyDocument="{}")
    return {}


def set_gate(secret, deny=(), busy=0):
    gate.secret, gate.deny, gate.busy = secret, list(deny), busy
    return {}


def reset():
    set_gate(None)
    requests.post(f"{ENDPOINT}/moto-api/reset", timeout=10)
    return {}


def as_text(value):
    """Times, and what an object of a bucket holds."""
    return value.read().decode() if hasattr(value, "read") else str(value)


def call(service, method, region="us-east-1", **parameters):
    answer = getattr(client(service, region), method)(**parameters["with"])
    return json.loads(json.dumps(answer, default=as_text))


COMMANDS = {"mara": make_mara, "roles": make_roles, "gate": set_gate, "call": call, "reset": reset}

print(port, flush=True)
for line in sys.stdin:
    command = json.loads(line)
    try:
        result = COMMANDS[command.pop("do")](**command)
    except Exception as error:  # pylint: disable=broad-except
        result = {"error": str(error)}
    print(json.dumps(result), flush=True)
