/*
 * http_status.h - reason phrases of the status codes that we send.
 */
#ifndef ENVD_HTTP_HTTP_STATUS_H
#define ENVD_HTTP_HTTP_STATUS_H

const char *http_status_text(int status);

#endif
