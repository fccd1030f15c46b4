/*
 * http_status.h - reason phrases of the status codes that we send, and the header in which every
 * answer says which version gave it: clients of another major version stop there.
 */
#ifndef ENVD_HTTP_HTTP_STATUS_H
#define ENVD_HTTP_HTTP_STATUS_H

#define HTTP_VERSION_HEADER "Envd-Version"

const char *http_status_text(int status);

#endif
