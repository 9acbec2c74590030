/* SPDX-License-Identifier: Apache-2.0
 * Reporting an error as an engine expects it from its OCI runtime. */
#include "runtime/errlog.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "runtime/jbuild.h"

/* RFC 3339, UTC */
static void
format_time(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf[0] = '\0';
}

/* The line that logrus writes, which the shims search for "error" lines. */
static char *
json_line(const char *msg, const char *when)
{
	AUTO_JSON struct json_object *o = jb_obj();

	jb_str(o, "level", "error");
	jb_str(o, "msg", msg);
	jb_str(o, "time", when);
	return xasprintf("%s\n",
	    json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static char *
text_line(const char *msg, const char *when)
{
	char quoted[8 * ERR_MSG_MAX], *q = quoted;

	for (; *msg != '\0' && q < quoted + sizeof(quoted) - 2; msg++) {
		if (*msg == '"' || *msg == '\\')
			*q++ = '\\';
		*q++ = *msg;
	}
	*q = '\0';
	return xasprintf("time=\"%s\" level=error msg=\"%s\"\n", when, quoted);
}

static void
append(const char *file, const char *line)
{
	AUTO_CLOSE int fd = open(
	    file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	/* stderr has the sentence already: nothing more can be done here */
	if (fd == -1 || write(fd, line, strlen(line)) == -1)
		log_error("%s: %m", file);
}

void
errlog_report(const char *file, const char *format, const char *msg)
{
	char safe[4 * ERR_MSG_MAX], when[32];
	AUTO_FREE char *line = NULL;

	log_error("%s", msg);
	/* the default, where the line is now */
	if (file == NULL || file[0] == '\0' || strcmp(file, "/dev/stderr") == 0)
		return;
	format_time(when, sizeof(when));
	/* docker prints it on somebody's terminal */
	log_escape(safe, sizeof(safe), msg, strlen(msg));
	if (format != NULL && strcmp(format, "json") == 0)
		line = json_line(safe, when);
	else
		line = text_line(safe, when);
	append(file, line);
}
