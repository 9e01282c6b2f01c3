/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Hostile messages and misuse. Only on the library under test: the installed one
 * may read beyond a message, answer nothing, or crash on each of these.
 */
#include "session_api.h"

#include <errno.h>
#include <string.h>

static bool answered(struct fake *k, uint64_t unique, int *error)
{
	struct {
		struct fuse_out_header h;
		char rest[4096];
	} r;
	bool found = false;

	while (fake_take(k, &r, sizeof(r)) >= (ssize_t)sizeof(r.h)) {
		if (r.h.unique == unique) {
			found = true;
			*error = r.h.error;
		}
	}
	return found;
}

/* The session must survive whatever came before. */
static void check_alive(struct fake *k, const char *after)
{
	static struct message m;
	char what[160];
	int error = 1;

	m.len = 0;
	put(&m, "uu", 0u, 0u);
	fake_send(k, FUSE_ACCESS, 1, &m);
	fake_step(k);
	snprintf(what, sizeof(what), "the session serves after %s", after);
	check(answered(k, k->unique, &error) && error == 0, what);
}

static void step_quietly(struct fake *k)
{
	if (fuse_session_receive_buf(k->se, &k->buf) > 0)
		fuse_session_process_buf(k->se, &k->buf);
}

/* One opcode, its body cut at every length below `size`: an error for each. */
static void truncated(struct fake *k, uint32_t opcode, const char *name, size_t size)
{
	static struct message m;
	char what[200];

	for (size_t len = 0; len < size; len++) {
		int error = 0;

		m.len = 0;
		put(&m, "z", (int)len);
		/* No NUL at the end: a name must not run out of the message. */
		memset(m.bytes, 'x', len);
		fake_send(k, opcode, 1, &m);
		step_quietly(k);
		snprintf(what, sizeof(what), "%s cut to %zu bytes gets an error", name, len);
		check(answered(k, k->unique, &error) && error < 0, what);
	}
	check_alive(k, name);
}

static void raw_header(struct fake *k, uint32_t len, size_t really, const char *what)
{
	static struct message m;

	m.len = 0;
	k->unique += 2;
	put(&m, "uuUUuuuuz", len, (uint32_t)FUSE_GETATTR, k->unique, (uint64_t)1, 0u, 0u, 0u, 0u, 4096);
	fake_send_raw(k, m.bytes, really);
	step_quietly(k);
	/* An answer is welcome, but a length that lies leaves no certain id. */
	(void)answered(k, k->unique, &(int){ 0 });
	if (!fuse_session_exited(k->se))
		check_alive(k, what);
}

void test_malformed(void)
{
	static const struct {
		uint32_t opcode;
		const char *name;
		size_t size; /* of the fixed part; with names the whole must fail */
	} ops[] = {
		{ FUSE_LOOKUP, "LOOKUP", 20 }, { FUSE_GETATTR, "GETATTR", 16 },
		{ FUSE_SETATTR, "SETATTR", 88 }, { FUSE_SYMLINK, "SYMLINK", 20 },
		{ FUSE_MKNOD, "MKNOD", 30 }, { FUSE_MKDIR, "MKDIR", 20 },
		{ FUSE_UNLINK, "UNLINK", 10 }, { FUSE_RMDIR, "RMDIR", 10 },
		{ FUSE_RENAME, "RENAME", 30 }, { FUSE_RENAME2, "RENAME2", 30 },
		{ FUSE_LINK, "LINK", 20 }, { FUSE_OPEN, "OPEN", 8 }, { FUSE_READ, "READ", 40 },
		{ FUSE_WRITE, "WRITE", 40 }, { FUSE_RELEASE, "RELEASE", 24 },
		{ FUSE_FSYNC, "FSYNC", 16 }, { FUSE_SETXATTR, "SETXATTR", 20 },
		{ FUSE_GETXATTR, "GETXATTR", 20 }, { FUSE_LISTXATTR, "LISTXATTR", 8 },
		{ FUSE_REMOVEXATTR, "REMOVEXATTR", 10 }, { FUSE_FLUSH, "FLUSH", 24 },
		{ FUSE_OPENDIR, "OPENDIR", 8 }, { FUSE_READDIR, "READDIR", 40 },
		{ FUSE_READDIRPLUS, "READDIRPLUS", 40 }, { FUSE_RELEASEDIR, "RELEASEDIR", 24 },
		{ FUSE_FSYNCDIR, "FSYNCDIR", 16 }, { FUSE_GETLK, "GETLK", 48 },
		{ FUSE_SETLK, "SETLK", 48 }, { FUSE_SETLKW, "SETLKW", 48 },
		{ FUSE_ACCESS, "ACCESS", 8 }, { FUSE_CREATE, "CREATE", 30 },
		{ FUSE_BMAP, "BMAP", 16 }, { FUSE_IOCTL, "IOCTL", 32 }, { FUSE_POLL, "POLL", 24 },
		{ FUSE_FALLOCATE, "FALLOCATE", 32 }, { FUSE_LSEEK, "LSEEK", 24 },
		{ FUSE_COPY_FILE_RANGE, "COPY_FILE_RANGE", 56 },
	};
	static struct message m;
	struct fuse_lowlevel_ops quiet = printing_ops;
	struct fake *k;
	int error;

	capture_log(LOG_OFF);
	quiet.destroy = NULL;
	k = fake_new(&quiet, NULL);
	fake_init(k, 31);
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		truncated(k, ops[i].opcode, ops[i].name, ops[i].size);

	/* WRITE and SETXATTR that promise more data than the message holds. */
	m.len = 0;
	put(&m, "UUuuUuub", (uint64_t)1, (uint64_t)0, 1u << 30, 0u, (uint64_t)0, 0u, 0u, "data", (size_t)4);
	fake_send(k, FUSE_WRITE, 2, &m);
	step_quietly(k);
	check(answered(k, k->unique, &error) && error < 0, "WRITE of 1 GiB in 4 bytes gets an error");
	m.len = 0;
	put(&m, "uusb", 1u << 30, 0u, "user.name", "value", (size_t)5);
	fake_send(k, FUSE_SETXATTR, 2, &m);
	step_quietly(k);
	check(answered(k, k->unique, &error) && error < 0, "SETXATTR beyond the message gets an error");
	m.len = 0;
	put(&m, "UuuUuu", (uint64_t)1, 0u, 1u, (uint64_t)0, 1u << 30, 16u);
	fake_send(k, FUSE_IOCTL, 2, &m);
	step_quietly(k);
	check(answered(k, k->unique, &error) && error < 0, "IOCTL beyond the message gets an error");
	/* FORGETs have no answer; a count beyond the message must do no harm. */
	m.len = 0;
	put(&m, "uuUU", 1u << 30, 0u, (uint64_t)5, (uint64_t)1);
	fake_send(k, FUSE_BATCH_FORGET, 0, &m);
	step_quietly(k);
	check_alive(k, "a BATCH_FORGET that lies");
	m.len = 0;
	fake_send(k, FUSE_FORGET, 5, &m);
	step_quietly(k);
	check_alive(k, "an empty FORGET");
	fake_send(k, FUSE_INTERRUPT, 0, &m);
	step_quietly(k);
	check_alive(k, "an empty INTERRUPT");
	fake_send(k, FUSE_NOTIFY_REPLY, 0, &m);
	step_quietly(k);
	check_alive(k, "an empty NOTIFY_REPLY");
	raw_header(k, 40, 56, "a length shorter than the message");
	raw_header(k, 4096, 56, "a length longer than the message");
	raw_header(k, 0, 56, "a length of 0");
	raw_header(k, 0xffffffff, 56, "a length of 4 GiB");
	/* To the kernel, an answer with this id is a notification. */
	m.len = 0;
	put(&m, "uuUUuuuuuu", 48u, (uint32_t)FUSE_ACCESS, (uint64_t)0, (uint64_t)1, 0u, 0u, 0u, 0u, 0u, 0u);
	fake_send_raw(k, m.bytes, m.len);
	step_quietly(k);
	check(!answered(k, 0, &error), "a request with id 0 is not answered");
	check_alive(k, "a request with id 0");
	fake_free(k);
	for (size_t len = 1; len < 40; len += 13) {
		k = fake_new(&quiet, NULL);
		fake_init(k, 31);
		raw_header(k, (uint32_t)len, len, "a part of a header");
		fake_free(k);
	}
	/* An INIT that stops inside itself. */
	for (size_t len = 0; len < 8; len++) {
		k = fake_new(&quiet, NULL);
		m.len = 0;
		put(&m, "z", (int)len);
		fake_send(k, FUSE_INIT, 0, &m);
		step_quietly(k);
		check(answered(k, k->unique, &error) && error < 0, "a cut INIT gets an error");
		fake_free(k);
	}
	capture_log(LOG_LEVEL);
}

/* ---- misuse by the filesystem */

static int results[3];

static void o_unanswerable(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct stat st = { .st_ino = 1 };

	(void)ino;
	if (mask == 4) {
		/* Twice: the second must be refused, or at least reach nobody. */
		results[0] = fuse_reply_err(req, EPERM);
		results[1] = fuse_reply_err(req, EIO);
		results[2] = fuse_reply_attr(req, &st, 1);
	} else {
		fuse_reply_err(req, 0);
	}
}

void test_misuse(void)
{
	static const struct fuse_lowlevel_ops ops = { .access = o_unanswerable };
	static struct message m;
	struct fake *k = fake_new(&ops, NULL);
	struct fuse_out_header h[4];
	int count = 0;

	capture_log(LOG_OFF);
	fake_init(k, 31);
	m.len = 0;
	put(&m, "uu", 4u, 0u);
	fake_send(k, FUSE_ACCESS, 1, &m);
	step_quietly(k);
	while (count < 4 && fake_take(k, &h[count], sizeof(h[0])) > 0)
		count++;
	check(count == 1 && h[0].error == -EPERM, "a double reply sends only the first");
	check(results[0] == 0 && results[1] != 0 && results[2] != 0, "a double reply is refused");
	check_alive(k, "a double reply");

	/* NULL where an object belongs. */
	check(fuse_reply_err(NULL, EIO) != 0, "a reply to no request is refused");
	fuse_reply_none(NULL);
	fuse_session_exit(NULL);
	fuse_session_reset(NULL);
	fuse_session_destroy(NULL);
	(void)fuse_session_exited(NULL);
	(void)fuse_session_fd(NULL);
	check(fuse_session_loop(NULL) != 0, "a loop without session fails");
	check(fuse_session_mount(NULL, "/nowhere") != 0, "a mount without session fails");
	fuse_session_unmount(NULL);
	fuse_pollhandle_destroy(NULL);
	fuse_remove_signal_handlers(NULL);
	check(fuse_session_receive_buf(NULL, NULL) < 0, "receive without session fails");
	(void)fuse_req_interrupted(NULL);
	check_alive(k, "NULL arguments");

	/* The kernel's end is closed: replies fail, nothing dies. */
	fake_send(k, FUSE_ACCESS, 1, &m);
	fake_free(k);
	capture_log(LOG_LEVEL);
}
