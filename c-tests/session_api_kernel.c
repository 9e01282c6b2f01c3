/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The fake kernel: messages, the socket pair, the printing of replies. */
#include "session_api.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static bool muted;

void mute(bool on)
{
	muted = on;
}

void say(const char *fmt, ...)
{
	va_list ap;

	if (muted)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

static int failed;

void check(bool good, const char *what)
{
	if (good)
		return;
	failed++;
	printf("FAIL %s\n", what);
	fflush(stdout);
}

int failures(void)
{
	return failed;
}

static enum log_shown log_shown;

/* Shown by whole lines: how many calls make a line is each library's own affair. */
static void on_log(enum fuse_log_level level, const char *fmt, va_list ap)
{
	static char line[1024];
	size_t used = strlen(line);
	char *end;

	vsnprintf(line + used, sizeof(line) - used, fmt, ap);
	end = strchr(line, '\n');
	if (!end)
		return;
	*end = '\0';
	if (log_shown == LOG_TEXT)
		say("  log %d: %s\n", (int)level, line);
	else if (log_shown == LOG_LEVEL)
		say("  log %d\n", (int)level);
	line[0] = '\0';
}

void capture_log(enum log_shown shown)
{
	log_shown = shown;
	fuse_set_log_func(on_log);
}

static void vput(struct message *m, const char *format, va_list ap)
{
	for (; *format; format++) {
		unsigned char *at = m->bytes + m->len;

		if (*format == 'u') {
			uint32_t v = va_arg(ap, uint32_t);

			memcpy(at, &v, sizeof(v));
			m->len += sizeof(v);
		} else if (*format == 'U') {
			uint64_t v = va_arg(ap, uint64_t);

			memcpy(at, &v, sizeof(v));
			m->len += sizeof(v);
		} else if (*format == 's') {
			const char *s = va_arg(ap, const char *);

			strcpy((char *)at, s);
			m->len += strlen(s) + 1;
		} else if (*format == 'z') {
			int n = va_arg(ap, int);

			memset(at, 0, (size_t)n);
			m->len += (size_t)n;
		} else {
			const void *bytes = va_arg(ap, const void *);
			size_t n = va_arg(ap, size_t);

			memcpy(at, bytes, n);
			m->len += n;
		}
	}
}

void put(struct message *m, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vput(m, format, ap);
	va_end(ap);
}

ssize_t fake_io_read(int fd, void *buf, size_t len, void *userdata)
{
	ssize_t n = read(fd, buf, len);

	(void)userdata;
	/* The other end is closed: what the device says after an unmount. */
	if (n == 0) {
		errno = ENODEV;
		return -1;
	}
	return n;
}

ssize_t fake_io_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	(void)userdata;
	return writev(fd, iov, count);
}

struct fake *fake_new_io(const struct fuse_lowlevel_ops *ops, void *userdata,
			 const char *options, const struct fuse_custom_io *io)
{
	char *argv[] = { "fake", "-o", (char *)options, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(options ? 3 : 1, argv);
	struct fake *k = calloc(1, sizeof(*k));
	int pair[2], size = 1 << 20;

	k->se = fuse_session_new(&args, ops, sizeof(*ops), userdata);
	fuse_opt_free_args(&args);
	/* Record boundaries, as on the device: one message a read, one a write. */
	if (!k->se || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		printf("FAIL no session\n");
		exit(1);
	}
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (fuse_session_custom_io(k->se, io, pair[1]) != 0) {
		printf("FAIL custom_io\n");
		exit(1);
	}
	k->fd = pair[0];
	return k;
}

struct fake *fake_new_with(const struct fuse_lowlevel_ops *ops, void *userdata,
			   const char *options)
{
	const struct fuse_custom_io io = { .read = fake_io_read, .writev = fake_io_writev };

	return fake_new_io(ops, userdata, options, &io);
}

struct fake *fake_new(const struct fuse_lowlevel_ops *ops, void *userdata)
{
	return fake_new_with(ops, userdata, NULL);
}

void fake_free(struct fake *k)
{
	fuse_session_destroy(k->se); /* closes its end */
	if (k->fd >= 0)
		close(k->fd);
	free(k->buf.mem);
	free(k);
}

void fake_send_raw(struct fake *k, const void *bytes, size_t len)
{
	if (send(k->fd, bytes, len, 0) != (ssize_t)len) {
		printf("FAIL send of %zu bytes: %s\n", len, strerror(errno));
		exit(1);
	}
}

void fake_send(struct fake *k, uint32_t opcode, uint64_t nodeid, const struct message *body)
{
	static struct message m;
	size_t extra = body ? body->len : 0;

	m.len = 0;
	k->unique += 2;
	put(&m, "uuUUuuuu", (uint32_t)(40 + extra), opcode, k->unique, nodeid, 1001u, 1002u,
	    (uint32_t)4321, 0u);
	if (body)
		put(&m, "b", body->bytes, extra);
	fake_send_raw(k, m.bytes, m.len);
}

void fake_step(struct fake *k)
{
	int n = fuse_session_receive_buf(k->se, &k->buf);

	if (n <= 0)
		say("  receive: %d\n", n);
	else
		fuse_session_process_buf(k->se, &k->buf);
}

ssize_t fake_take(struct fake *k, void *buf, size_t size)
{
	return recv(k->fd, buf, size, MSG_DONTWAIT);
}

void print_hex(const char *what, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;
	uint64_t hash = 0xcbf29ce484222325u;

	say("%s", what);
	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ b[i]) * 0x100000001b3u;
		if (i < 200)
			say("%s%02x", i % 8 == 0 ? " " : "", b[i]);
	}
	if (len > 200)
		say(" ... (%zu bytes, hash %016llx)", len, (unsigned long long)hash);
	say("\n");
}

void fake_replies(struct fake *k, const char *what)
{
	static unsigned char buf[512 * 1024];
	struct fuse_out_header h;
	ssize_t n;
	int count = 0;

	while ((n = fake_take(k, buf, sizeof(buf))) >= 0) {
		count++;
		if (n < (ssize_t)sizeof(h)) {
			say("%s -> only %zd bytes\n", what, n);
			continue;
		}
		memcpy(&h, buf, sizeof(h));
		check(h.len == (uint32_t)n, "the length in the header is the length of the message");
		say("%s -> len=%zd error=%d unique=", what, n, h.error);
		if (h.unique == k->unique)
			say("its");
		else if (h.unique == 0)
			say("0");
		else
			say("%lld from its", (long long)(h.unique - k->unique));
		print_hex("", buf + sizeof(h), (size_t)n - sizeof(h));
	}
	if (count == 0)
		say("%s -> no reply\n", what);
}

void ask(struct fake *k, const char *what, uint32_t opcode, uint64_t nodeid,
	 const char *format, ...)
{
	static struct message m;
	va_list ap;

	m.len = 0;
	va_start(ap, format);
	vput(&m, format, ap);
	va_end(ap);
	fake_send(k, opcode, nodeid, &m);
	fake_step(k);
	fake_replies(k, what);
}

void put_init(struct message *m, uint32_t major, uint32_t minor, uint32_t flags, uint32_t flags2)
{
	put(m, "uu", major, minor);
	if (major == 7 && minor < 6)
		return;
	put(m, "uu", (uint32_t)131072, flags);
	if (flags & (1u << 30))
		put(m, "uz", flags2, 44);
}

void fake_init(struct fake *k, uint32_t minor)
{
	static struct message m;
	unsigned char reply[256];

	m.len = 0;
	k->minor = minor;
	/* Flags a kernel of any minor could offer; each library takes what it knows. */
	put_init(&m, 7, minor, 0x0fffffff, 0);
	fake_send(k, FUSE_INIT, 0, &m);
	fake_step(k);
	check(fake_take(k, reply, sizeof(reply)) > 16, "INIT is answered");
}
