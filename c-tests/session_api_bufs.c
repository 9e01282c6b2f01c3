/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Buffer vectors: sizes, and copies between all kinds of ends. */
#include "session_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

union two {
	struct fuse_bufvec v;
	char room[sizeof(struct fuse_bufvec) + 2 * sizeof(struct fuse_buf)];
};

static void sizes(void)
{
	union two u = { .v = { .count = 3 } };

	for (size_t i = 0; i < 3; i++)
		u.v.buf[i].size = 100 + i;
	say("size: %zu\n", fuse_buf_size(&u.v));
	u.v.off = 50;
	u.v.idx = 1;
	say("size does not mind the position: %zu\n", fuse_buf_size(&u.v));
	/* As the last element: in the middle the installed library adds on. */
	u.v.buf[2].size = SIZE_MAX;
	say("one unlimited: %d\n", fuse_buf_size(&u.v) == SIZE_MAX);
	u.v.count = 0;
	say("none: %zu\n", fuse_buf_size(&u.v));
}

static void show(const char *what, ssize_t n, const struct fuse_bufvec *d,
		 const struct fuse_bufvec *s)
{
	say("%s: %zd, at %zu+%zu from %zu+%zu\n", what, n, d->idx, d->off, s->idx, s->off);
}

static void memory(void)
{
	char a[8] = "", b[32] = "", c[32] = "";
	union two dst = { .v = { .count = 3 } }, src = { .v = { .count = 3 } };

	src.v.buf[0] = (struct fuse_buf){ .size = 3, .mem = "abc" };
	src.v.buf[1] = (struct fuse_buf){ .size = 0, .mem = NULL };
	src.v.buf[2] = (struct fuse_buf){ .size = 10, .mem = "defghijklm" };
	dst.v.buf[0] = (struct fuse_buf){ .size = 4, .mem = a };
	dst.v.buf[1] = (struct fuse_buf){ .size = 2, .mem = b };
	dst.v.buf[2] = (struct fuse_buf){ .size = 30, .mem = c };
	show("memory", fuse_buf_copy(&dst.v, &src.v, 0), &dst.v, &src.v);
	say("  %s|%s|%s\n", a, b, c);

	src.v.idx = 0;
	src.v.off = 1;
	dst.v.idx = 2;
	dst.v.off = 25;
	show("from and to a position", fuse_buf_copy(&dst.v, &src.v, 0), &dst.v, &src.v);
	say("  %s\n", c + 25);
	src.v.idx = 3;
	src.v.off = 0;
	show("at the end", fuse_buf_copy(&dst.v, &src.v, 0), &dst.v, &src.v);
}

static int file_with(const char *text)
{
	int fd = memfd_create("bufs", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "memory file");
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static struct fuse_bufvec fd_vec(int fd, size_t size, int flags, off_t pos)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(size);

	v.buf[0].flags = FUSE_BUF_IS_FD | (enum fuse_buf_flags)flags;
	v.buf[0].fd = fd;
	v.buf[0].pos = pos;
	return v;
}

static struct fuse_bufvec mem_vec(void *mem, size_t size)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(size);

	v.buf[0].mem = mem;
	return v;
}

static void descriptors(enum fuse_buf_copy_flags flags, const char *name)
{
	char text[64] = "";
	int a = file_with("0123456789"), b = file_with(""), p[2];
	struct fuse_bufvec s, d;

	say("descriptors, %s\n", name);
	s = fd_vec(a, 4, FUSE_BUF_FD_SEEK, 3);
	d = mem_vec(text, 60);
	show("file to memory", fuse_buf_copy(&d, &s, flags), &d, &s);
	s = fd_vec(a, 100, FUSE_BUF_FD_SEEK, 8);
	d = mem_vec(text + 4, 50);
	show("past the end", fuse_buf_copy(&d, &s, flags), &d, &s);
	s = fd_vec(a, 3, 0, 0);
	d = mem_vec(text + 6, 50);
	show("at the file position", fuse_buf_copy(&d, &s, flags), &d, &s);
	say("  %s\n", text);

	s = mem_vec("written", 7);
	d = fd_vec(b, 7, FUSE_BUF_FD_SEEK, 5);
	show("memory to file", fuse_buf_copy(&d, &s, flags), &d, &s);
	s = fd_vec(a, 10, FUSE_BUF_FD_SEEK, 0);
	d = fd_vec(b, 5, FUSE_BUF_FD_SEEK, 0);
	show("file to file", fuse_buf_copy(&d, &s, flags), &d, &s);
	memset(text, 0, sizeof(text));
	say("  %zd %s\n", pread(b, text, 60, 0), text);

	check(pipe(p) == 0, "pipe");
	s = fd_vec(a, 6, FUSE_BUF_FD_SEEK, 2);
	d = fd_vec(p[1], 6, 0, 0);
	show("file to pipe", fuse_buf_copy(&d, &s, flags), &d, &s);
	s = fd_vec(p[0], 6, 0, 0);
	d = fd_vec(b, 6, FUSE_BUF_FD_SEEK, 20);
	show("pipe to file", fuse_buf_copy(&d, &s, flags), &d, &s);
	memset(text, 0, sizeof(text));
	say("  %zd %s\n", pread(b, text, 60, 20), text);
	close(p[0]);
	close(p[1]);

	s = fd_vec(-1, 5, 0, 0);
	d = mem_vec(text, 5);
	say("bad source: %zd\n", fuse_buf_copy(&d, &s, flags));
	s = mem_vec("x", 1);
	d = fd_vec(-1, 1, 0, 0);
	say("bad target: %zd\n", fuse_buf_copy(&d, &s, flags));
	close(a);
	close(b);
}

/* A target opened for appending takes no splice; the copy must still work. */
static void append(void)
{
	char path[] = "/tmp/session_api.XXXXXX", text[64] = "";
	int a = file_with("to be appended"), b = mkstemp(path), app = open(path, O_RDWR | O_APPEND);
	struct fuse_bufvec s = fd_vec(a, 14, FUSE_BUF_FD_SEEK, 0);
	struct fuse_bufvec d = fd_vec(app, 14, FUSE_BUF_FD_SEEK, 0);

	unlink(path);
	check(write(b, "first ", 6) == 6, "write");
	show("append", fuse_buf_copy(&d, &s, 0), &d, &s);
	say("  %zd %s\n", pread(b, text, 60, 0), text);
	close(a);
	close(b);
	close(app);
}

void test_bufs(void)
{
	say("== buffer vectors\n");
	sizes();
	memory();
	descriptors(0, "default");
	descriptors(FUSE_BUF_NO_SPLICE, "no splice");
	descriptors(FUSE_BUF_SPLICE_MOVE, "splice move");
	descriptors(FUSE_BUF_SPLICE_NONBLOCK, "splice nonblock");
	append();
}
