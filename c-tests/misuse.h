/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A filesystem that does everything wrong, for FERROFUSE_CHECK=1; the same source for
 * libfuse 3 (misuse_ll.c) and libfuse 2 (fuse2/misuse2.c), which include it. Looking up a name
 * does what it says:
 *   twice    two answers
 *   garbage  an answer to a number that is no request, then a good one
 *   wrong    data, where an entry is asked for
 *   raw      the first time an entry as plain data: what the kernel takes as such, nobody counts
 *   old      an answer to the request that was answered for `twice`
 *   foreign  an answer to a request of another session
 *   polled   a poll handle of that session, notified and destroyed, each once more than it may be
 *   never    no answer; the end of the program gives one
 *   inside   a notification about the directory that the look-up holds
 *   node     gives node 2 out; reading its attributes is all right
 */
#include <errno.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, NODE, RAW };

static fuse_req_t answered, held, others;
static struct fuse_pollhandle *polling;
static int raws, is_other;

/* The two libraries name the session in different ways. */
static int inval_entry(fuse_ino_t parent, const char *name);
/* Hands a message to a second session, whose answers go nowhere. */
static void other_session(const void *message, size_t size);

static void say(const char *what, int result)
{
	printf("%s %d\n", what, result);
	fflush(stdout);
}

static void attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_nlink = 1;
	st->st_mode = ino == ROOT ? S_IFDIR | 0755 : S_IFREG | 0444;
}

static void ask_other(uint32_t opcode, uint64_t unique, const void *body, size_t size)
{
	struct {
		struct fuse_in_header header;
		char body[64];
	} m;

	memset(&m, 0, sizeof(m));
	m.header = (struct fuse_in_header){
		.len = (uint32_t)(sizeof(m.header) + size), .opcode = opcode, .unique = unique, .nodeid = ROOT,
	};
	memcpy(m.body, body, size);
	is_other = 1;
	other_session(&m, m.header.len);
	is_other = 0;
}

/* A request of the other session, not answered. */
static fuse_req_t foreign(void)
{
	struct fuse_init_in init = { .major = 7, .minor = 31, .max_readahead = 65536 };

	ask_other(FUSE_INIT, 2, &init, 16);
	ask_other(FUSE_LOOKUP, 4, "x", 2);
	return others;
}

static void polled(const char *name)
{
	struct fuse_poll_in poll = { .kh = 7, .flags = FUSE_POLL_SCHEDULE_NOTIFY };

	ask_other(FUSE_POLL, 6, &poll, sizeof(poll));
	say(name, fuse_lowlevel_notify_poll(polling));
	fuse_pollhandle_destroy(polling);
	say(name, fuse_lowlevel_notify_poll(polling));
	fuse_pollhandle_destroy(polling);
}

static void reply_node(fuse_req_t req)
{
	struct fuse_entry_param e;

	memset(&e, 0, sizeof(e));
	e.ino = NODE;
	attr(NODE, &e.attr);
	fuse_reply_entry(req, &e);
}

static void reply_raw(fuse_req_t req)
{
	struct fuse_entry_out out;

	memset(&out, 0, sizeof(out));
	out.nodeid = out.attr.ino = RAW;
	out.attr.mode = S_IFREG | 0444;
	out.attr.nlink = 1;
	fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

static void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (is_other) {
		others = req;
		return;
	}
	if (strcmp(name, "node") == 0) {
		reply_node(req);
		return;
	}
	if (strcmp(name, "never") == 0) {
		held = req;
		return;
	}
	if (strcmp(name, "wrong") == 0) {
		fuse_reply_buf(req, name, strlen(name));
		return;
	}
	if (strcmp(name, "raw") == 0 && raws++ == 0) {
		reply_raw(req);
		return;
	}
	if (strcmp(name, "garbage") == 0)
		say(name, fuse_reply_err((fuse_req_t)0x1230, ENOENT));
	if (strcmp(name, "old") == 0)
		say(name, fuse_reply_err(answered, ENOENT));
	if (strcmp(name, "foreign") == 0)
		say(name, fuse_reply_err(foreign(), ENOENT));
	if (strcmp(name, "polled") == 0)
		polled(name);
	if (strcmp(name, "inside") == 0)
		say(name, inval_entry(parent, name));
	fuse_reply_err(req, ENOENT);
	if (strcmp(name, "twice") == 0) {
		answered = req;
		say(name, fuse_reply_err(req, ENOENT));
	}
}

static void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attr(ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void ll_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	(void)ino;
	(void)fi;
	polling = ph;
	fuse_reply_poll(req, 0);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = ll_lookup,
	.poll = ll_poll,
	.getattr = ll_getattr,
};

/* When the session is gone. */
static void too_late(void)
{
	if (held)
		say("late", fuse_reply_err(held, ENOENT));
}
