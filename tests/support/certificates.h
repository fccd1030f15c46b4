/*
 * certificates.h - for tests: certificate authorities and certificates, made by openssl(1).
 */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

/* FOLDER/NAME.pem and FOLDER/NAME.key, a CA of its own. */
void certificates_ca(const char *folder, const char *name);

/* FOLDER/NAME.pem and FOLDER/NAME.key, signed by that CA. `alternative`: "IP:127.0.0.1,DNS:x". What
 * was there is replaced, key first. */
void certificates_issue(const char *folder, const char *ca, const char *name,
			const char *alternative);

#endif
