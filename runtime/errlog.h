/* SPDX-License-Identifier: Apache-2.0
 * Reporting an error as an engine expects it from its OCI runtime. */
#ifndef RUNTIME_ERRLOG_H
#define RUNTIME_ERRLOG_H

/*
 * One line on stderr, and one in the file of --log (NULL: none), of the
 * format of --log-format: "json" or "text" (also for NULL).
 */
void errlog_report(const char *file, const char *format, const char *msg);

#endif
