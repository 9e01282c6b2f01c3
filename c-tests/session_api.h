/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The API without a mount: a session over fuse_session_custom_io(), whose other
 * end is this program playing the kernel. Every exchange is printed, so that the
 * transcript of two libraries can be compared byte by byte.
 */
#ifndef FERRO_SESSION_API_H
#define FERRO_SESSION_API_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- session_api_kernel.c: the fake kernel */

struct fake {
	struct fuse_session *se;
	int fd;            /* the kernel's end of the socket pair */
	uint64_t unique;   /* of the last request */
	struct fuse_buf buf;
	uint32_t minor;    /* announced in INIT */
};

/* What a message is made of; every call appends. */
struct message {
	size_t len;
	unsigned char bytes[256 * 1024];
};
/*
 * Appends to m by the letters of `format`: u = uint32_t, U = uint64_t,
 * s = string with its NUL, z = (int) that many zero bytes, b = (const void *,
 * size_t) bytes.
 */
void put(struct message *m, const char *format, ...);

/* A session with these operations, not initialised. Exits on failure. */
struct fake *fake_new(const struct fuse_lowlevel_ops *ops, void *userdata);
/* With mount-style options, e.g. "allow_root". */
struct fake *fake_new_with(const struct fuse_lowlevel_ops *ops, void *userdata,
			   const char *options);
/* Over another transport; splice_* may be there. */
struct fake *fake_new_io(const struct fuse_lowlevel_ops *ops, void *userdata,
			 const char *options, const struct fuse_custom_io *io);
ssize_t fake_io_read(int fd, void *buf, size_t len, void *userdata);
ssize_t fake_io_writev(int fd, struct iovec *iov, int count, void *userdata);
void fake_free(struct fake *k);
/* Sends a whole message as it is. */
void fake_send_raw(struct fake *k, const void *bytes, size_t len);
/* Sends header and body with a fresh unique. */
void fake_send(struct fake *k, uint32_t opcode, uint64_t nodeid, const struct message *body);
/* Lets the library receive and process one message; prints a failure. */
void fake_step(struct fake *k);
/* Prints every reply that is there. `what` heads the lines. */
void fake_replies(struct fake *k, const char *what);
/* Takes one reply without printing; its length or -1. */
ssize_t fake_take(struct fake *k, void *buf, size_t size);
/* fake_send, fake_step, fake_replies. Body by put's format. */
void ask(struct fake *k, const char *what, uint32_t opcode, uint64_t nodeid,
	 const char *format, ...);
/* INIT as a kernel of this minor sends it; the answer is thrown away. */
void fake_init(struct fake *k, uint32_t minor);
void put_init(struct message *m, uint32_t major, uint32_t minor, uint32_t flags, uint32_t flags2);

/* ---- output */
void print_hex(const char *what, const void *bytes, size_t len);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* While muted nothing but failed checks is printed: no line of the transcript. */
void mute(bool on);
/* A check that is no line of the transcript; counts and prints failures. */
void check(bool good, const char *what);
int failures(void);
/*
 * What the library logs goes into the transcript: not at all, as the level of each
 * line (the wording is each library's own), or wholly (what a user reads).
 */
enum log_shown { LOG_OFF, LOG_LEVEL, LOG_TEXT };
void capture_log(enum log_shown shown);

/* ---- the parts; `own` = on the library under test, not the system's */
void test_new(void);                     /* session_api_new.c */
void test_init(bool own);                /* session_api_init.c */
void test_requests(void);                /* session_api_requests.c */
void test_compat(void);                  /* session_api_compat.c */
void test_replies(void);                 /* session_api_replies.c */
void test_direntries(void);
void test_notify(bool own);              /* session_api_notify.c */
void test_interrupts(void);
void test_loops(void);                   /* session_api_loops.c */
void test_bufs(void);                    /* session_api_bufs.c */
void test_splice(void);                  /* session_api_splice.c */
void test_malformed(void);               /* session_api_bad.c */
void test_misuse(void);

extern const struct fuse_lowlevel_ops printing_ops; /* session_api_ops.c */

#endif
