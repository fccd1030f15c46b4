#include "tests/support/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/cleanup.h"

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("this failed: %s", command);
}

void certificates_ca(const char *folder, const char *name)
{
	AUTO(free)
	char *command = xasprintf(
	    "cd '%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	    "-keyout %s.key -out %s.pem -days 2 -subj '/CN=%s' 2>/dev/null",
	    folder, name, name, name);

	run(command);
}

void certificates_issue(const char *folder, const char *ca, const char *name,
			const char *alternative)
{
	AUTO(free)
	char *command = xasprintf(
	    "cd '%s' && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
	    "%s.key.new -out %s.csr -subj '/CN=%s' 2>/dev/null && "
	    "echo 'subjectAltName=%s' >%s.ext && "
	    "openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial -days 2 "
	    "-extfile %s.ext -out %s.pem.new 2>/dev/null && "
	    "mv %s.key.new %s.key && mv %s.pem.new %s.pem",
	    folder, name, name, name, alternative, name, name, ca, ca, name, name, name, name, name,
	    name);

	run(command);
}
