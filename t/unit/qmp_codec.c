/* SPDX-License-Identifier: Apache-2.0
 * Unit tests of the QMP codec: every kind of message, every split, and what
 * must be refused. */
#include "qmp/codec.h"

#include "lib/json.h"
#include "t/tap.h"

#define GREETING                                                               \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, "    \
	"\"major\": 7}, \"package\": \"Debian\"}, \"capabilities\": "          \
	"[\"oob\"]}}\r\n"
#define STAMP "\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}"

static struct err err;

/* What the first message of text is: its kind, 99 for none yet, -1. */
static int
kind_of(const char *text, size_t len)
{
	struct qmp_codec *c = qmp_codec_new();
	struct qmp_message m;
	int r = -1;

	if (qmp_codec_input(c, text, len, &err) == 0 &&
	    (r = qmp_codec_next(c, &m, &err)) == 1) {
		r = (int)m.kind;
		qmp_message_clear(&m);
	} else if (r == 0) {
		r = 99;
	}
	qmp_codec_free(c);
	return r;
}

static const struct {
	const char *text;
	int want;
	const char *name;
} cases[] = {
    {GREETING, QMP_GREETING, "greeting"},
    {"{\"return\": {}, \"id\": 1}\r\n", QMP_RETURN, "return"},
    {"{\"return\": {}}\r\n", QMP_RETURN, "return without id"},
    {"{\"return\": [1], \"id\": 2}\n", QMP_RETURN, "bare line feed"},
    {"{\"return\": null, \"id\": 2}\r\n", QMP_RETURN, "return of null"},
    {"{\"return\": 7, \"id\": 9223372036854775806}\r\n", QMP_RETURN,
	"largest id"},
    {"\r\n \t\r\n{\"return\": {}}\r\n", QMP_RETURN, "white space before"},
    {"{\"return\": {}, \"later\": [{}]}\r\n", QMP_RETURN, "unknown member"},
    {"{\"error\": {\"class\": \"C\", \"desc\": \"d\"}, \"id\": 3}\r\n",
	QMP_ERROR, "error"},
    {"{\"error\": {\"class\": \"C\", \"desc\": \"d\"}}\r\n", QMP_ERROR,
	"error without id"},
    {"{\"event\": \"STOP\", " STAMP "}\r\n", QMP_EVENT, "event"},
    {"{\"event\": \"STOP\", \"data\": {\"a\": 1}, " STAMP "}\r\n", QMP_EVENT,
	"event with data"},
    {"{\"event\": \"STOP\", \"timestamp\": {\"seconds\": -1, "
     "\"microseconds\": -1}}\r\n",
	QMP_EVENT, "event of a host without clock"},
    {"", 99, "nothing"},
    {"{\"return\": {}}", 99, "no line end yet"},
    {"{\"return\": {}}\r", 99, "half a line end"},
    {"hello\r\n", -1, "not JSON"},
    {"hello", -1, "not JSON, before its line ends"},
    {"[1]\r\n", -1, "an array"},
    {"1\r\n", -1, "a number"},
    {"\"QMP\"\r\n", -1, "a string"},
    {"null\r\n", -1, "null"},
    {"{}\r\n", -1, "an empty object"},
    {"{\"x\": 1}\r\n", -1, "an object of no kind"},
    {"{\"return\": {}\r\n", -1, "an object cut short"},
    {"{\"return\": {}}}\r\n", -1, "a brace too many"},
    {"{\"return\": {}} {\"return\": {}}\r\n", -1, "two on one line"},
    {"{\"return\": \"a\nb\"}\r\n", -1, "a line end inside a string"},
    {"{\"return\": {}, }\r\n", -1, "trailing comma"},
    {"{\"return\": \"a\\u0000b\"}\r\n", -1, "a NUL in a string"},
    {"{\"return\": {}, \"id\": \"1\"}\r\n", -1, "id is a string"},
    {"{\"return\": {}, \"id\": 1.5}\r\n", -1, "id is a fraction"},
    {"{\"return\": {}, \"id\": {}}\r\n", -1, "id is an object"},
    {"{\"return\": {}, \"id\": true}\r\n", -1, "id is a boolean"},
    {"{\"return\": {}, \"id\": 0}\r\n", -1, "id 0"},
    {"{\"return\": {}, \"id\": -1}\r\n", -1, "negative id"},
    {"{\"return\": {}, \"id\": 9223372036854775808}\r\n", -1,
	"id past 63 bits"},
    {"{\"return\": {}, \"error\": {\"class\": \"C\", \"desc\": \"d\"}}\r\n", -1,
	"return and error at once"},
    {"{\"event\": \"E\", \"return\": {}, " STAMP "}\r\n", -1,
	"event and return at once"},
    {"{\"error\": \"no\", \"id\": 1}\r\n", -1, "error is a string"},
    {"{\"error\": null, \"id\": 1}\r\n", -1, "error is null"},
    {"{\"error\": {\"class\": \"C\"}}\r\n", -1, "error without desc"},
    {"{\"error\": {\"desc\": \"d\"}}\r\n", -1, "error without class"},
    {"{\"error\": {\"class\": 1, \"desc\": \"d\"}}\r\n", -1,
	"class is a number"},
    {"{\"event\": 1, " STAMP "}\r\n", -1, "event is a number"},
    {"{\"event\": \"E\"}\r\n", -1, "event without timestamp"},
    {"{\"event\": \"E\", \"timestamp\": 5}\r\n", -1, "timestamp is a number"},
    {"{\"event\": \"E\", \"timestamp\": {\"seconds\": 1}}\r\n", -1,
	"timestamp without microseconds"},
    {"{\"event\": \"E\", \"timestamp\": {\"seconds\": 1, "
     "\"microseconds\": 1000000}}\r\n",
	-1, "microseconds past a second"},
    {"{\"event\": \"E\", \"data\": [], " STAMP "}\r\n", -1, "data is an array"},
    {"{\"QMP\": 1}\r\n", -1, "greeting is a number"},
    {"{\"QMP\": {\"capabilities\": []}}\r\n", -1, "greeting without version"},
    {"{\"QMP\": {\"version\": {}}}\r\n", -1, "greeting without capabilities"},
    {"{\"QMP\": {\"version\": {}, \"capabilities\": {}}}\r\n", -1,
	"capabilities is an object"},
};

static void
test_kinds(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		err.msg[0] = '\0';
		is_int(kind_of(cases[i].text, strlen(cases[i].text)),
		    cases[i].want, cases[i].name);
		if (cases[i].want == -1)
			ok(strncmp(err.msg, "QMP", 3) == 0, "%s: %s",
			    cases[i].name, err.msg);
	}
	is_int(kind_of("{\"return\": \0 {}}\r\n", 18), -1, "a raw NUL");
	is_int(kind_of("\0\0\0\0", 4), -1, "binary zeroes");
	is_int(kind_of("\x1b[2J\r\n", 6), -1, "a terminal's escape");
	is_str(err.msg, "QMP: a message starts with \"\\x1b\", not with \"{\"",
	    "is escaped in the error");
}

static void
test_members(void)
{
	static const char text[] =
	    "{\"id\": 5, \"error\": {\"desc\": \"Bus \\\"x\\\" \\u00e9\", "
	    "\"class\": \"GenericError\"}}\r\n"
	    "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, "
	    "\"reason\": \"guest-shutdown\"}, " STAMP "}\r\n"
	    "{\"return\": {\"\xc3\xa9\": \"\xe2\x82\xac \\ud83d\\ude00\"}, "
	    "\"id\": 6}\r\n";
	struct qmp_codec *c = qmp_codec_new();
	struct qmp_message m;
	const char *s = NULL;

	qmp_codec_input(c, text, sizeof text - 1, &err);
	is_int(qmp_codec_next(c, &m, &err), 1, "first of three in one read");
	is_int(m.kind, QMP_ERROR, "is the error");
	is_int((long long)m.id, 5, "with its id");
	is_str(m.name, "GenericError", "class");
	is_str(m.desc, "Bus \"x\" \xc3\xa9", "description, unescaped");
	qmp_message_clear(&m);
	is_int(qmp_codec_next(c, &m, &err), 1, "second");
	is_str(m.name, "SHUTDOWN", "is the event");
	json_need_str(m.data, "data", "reason", &s, &err);
	is_str(s, "guest-shutdown", "with its data");
	is_int((long long)m.id, 0, "and no id");
	qmp_message_clear(&m);
	is_int(qmp_codec_next(c, &m, &err), 1, "third");
	s = NULL;
	json_need_str(m.data, "return", "\xc3\xa9", &s, &err);
	is_str(s, "\xe2\x82\xac \xf0\x9f\x98\x80", "unicode, raw and escaped");
	qmp_message_clear(&m);
	ok(m.whole == NULL && m.data == NULL, "a cleared message is empty");
	is_int(qmp_codec_next(c, &m, &err), 0, "and no fourth");
	ok(qmp_codec_idle(c), "nothing is left");
	qmp_codec_free(c);
}

/* The same three messages cut at each byte, then byte by byte. */
static void
test_splits(void)
{
	static const char text[] =
	    GREETING "{\"return\": \"\xe2\x82\xac\", "
		     "\"id\": 1}\r\n"
		     "{\"event\": \"RESUME\", " STAMP "}\r\n";
	const size_t len = sizeof text - 1;
	struct qmp_codec *c;
	struct qmp_message m;
	size_t bad = 0, step, seen;

	for (size_t cut = 0; cut <= len; cut++) {
		c = qmp_codec_new();
		seen = 0;
		for (size_t at = 0; at < len || at == 0; at += step) {
			step = cut == 0 ? 1 : at == 0 ? cut : len - at;
			qmp_codec_input(c, text + at, step, &err);
			while (qmp_codec_next(c, &m, &err) == 1) {
				seen++;
				qmp_message_clear(&m);
			}
		}
		bad += seen != 3 || !qmp_codec_idle(c);
		qmp_codec_free(c);
	}
	is_int((long long)bad, 0, "three messages cut at any byte");
}

/* {"return": "xxx..."} of n bytes without its line end. */
static char *
message_of(size_t n)
{
	static const char head[] = "{\"return\": \"";
	char *p = malloc(n + 1);

	memset(p, 'x', n);
	memcpy(p, head, sizeof head - 1);
	memcpy(p + n - 2, "\"}", 3);
	return p;
}

static void
test_length(void)
{
	struct qmp_codec *c = qmp_codec_new();
	struct qmp_message m;
	char *p = message_of(QMP_MESSAGE_MAX);

	qmp_codec_input(c, p, QMP_MESSAGE_MAX, &err);
	is_int(qmp_codec_next(c, &m, &err), 0, "the longest message, no end");
	ok(!qmp_codec_idle(c), "is waited for");
	qmp_codec_input(c, "\n", 1, &err);
	is_int(qmp_codec_next(c, &m, &err), 1, "is a message");
	qmp_message_clear(&m);
	free(p);

	p = message_of(QMP_MESSAGE_MAX + 1);
	qmp_codec_input(c, p, QMP_MESSAGE_MAX + 1, &err);
	is_int(qmp_codec_next(c, &m, &err), -1, "one byte more is not");
	is_str(err.msg, "QMP: a message is longer than 1048576 bytes",
	    "and the error says so");
	is_int(qmp_codec_input(c, p, QMP_MESSAGE_MAX, &err), -1,
	    "what nobody takes is refused");
	free(p);
	qmp_codec_free(c);
}

static void
test_depth(void)
{
	char text[512] = "{\"return\": ";
	size_t n = strlen(text);

	memset(text + n, '[', 200);
	memset(text + n + 200, ']', 200);
	memcpy(text + n + 400, "}\r\n", 4);
	is_int(kind_of(text, n + 403), -1, "200 arrays in each other");
	memset(text + n, '[', 200);
	memcpy(text + n + 200, "\r\n", 3);
	is_int(kind_of(text, n + 202), -1, "200 arrays never closed");
	memset(text + n, '[', 20);
	memset(text + n + 20, ']', 20);
	memcpy(text + n + 40, "}\r\n", 4);
	is_int(kind_of(text, n + 43), QMP_RETURN, "20 are allowed");
}

static void
test_encode(void)
{
	struct json_object *args = json_object_new_object();
	size_t len = 0;
	char *line;

	line = qmp_encode("cont", NULL, 1, &len);
	is_str(line, "{\"execute\":\"cont\",\"id\":1}\r\n", "no arguments");
	is_int((long long)len, (long long)strlen(line), "and its length");
	free(line);

	json_object_object_add(
	    args, "path", json_object_new_string("/a\"b\n\r\x01\xc3\xa9"));
	line = qmp_encode("x-y", args, INT64_MAX, &len);
	is_str(line,
	    "{\"execute\":\"x-y\",\"id\":9223372036854775807,\"arguments\":"
	    "{\"path\":\"/a\\\"b\\n\\r\\u0001\xc3\xa9\"}}\r\n",
	    "strings are escaped, one line");
	free(line);
	line = qmp_encode("again", args, 2, &len);
	ok(line != NULL, "arguments stay the caller's");
	free(line);
	is_int(json_object_put(args), 1, "and are freed by it");
}

int
main(void)
{
	test_kinds();
	test_members();
	test_splits();
	test_length();
	test_depth();
	test_encode();
	return done_testing();
}
