/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Custom I/O that can splice: requests arrive through a pipe and replies leave
 * through one. Which of them do is the library's choice; the bytes must be the same.
 */
#include "session_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_SIZE 200000
#define ROOM (1 << 20)

static int source_fd;
static size_t spliced_in, spliced_out;

/* A socket keeps no message together over a splice; so move it by hand. */
static ssize_t splice_receive(int fdin, off_t *offin, int fdout, off_t *offout, size_t len,
			      unsigned int flags, void *userdata)
{
	static char room[ROOM];
	ssize_t n;

	(void)offin;
	(void)offout;
	(void)flags;
	n = fake_io_read(fdin, room, len < ROOM ? len : ROOM, userdata);
	if (n > 0) {
		spliced_in++;
		n = write(fdout, room, (size_t)n);
	}
	return n;
}

static ssize_t splice_send(int fdin, off_t *offin, int fdout, off_t *offout, size_t len,
			   unsigned int flags, void *userdata)
{
	static char room[ROOM];
	size_t got = 0;
	ssize_t n;

	(void)offin;
	(void)offout;
	(void)flags;
	(void)userdata;
	while (got < len && (n = read(fdin, room + got, len - got)) > 0)
		got += (size_t)n;
	spliced_out++;
	return write(fdout, room, got);
}

static void o_init(void *userdata, struct fuse_conn_info *c)
{
	(void)userdata;
	say("  splice capable: %#x\n", c->capable & (FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
						   FUSE_CAP_SPLICE_MOVE));
	c->want |= c->capable &
		   (FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
}

static void o_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		   struct fuse_file_info *fi)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(size);

	(void)ino;
	v.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	v.buf[0].fd = source_fd;
	v.buf[0].pos = off;
	fuse_reply_data(req, &v, fi->fh == 1 ? FUSE_BUF_SPLICE_MOVE
					     : fi->fh == 2 ? FUSE_BUF_NO_SPLICE
							   : FUSE_BUF_FORCE_SPLICE);
}

static void o_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off,
			struct fuse_file_info *fi)
{
	static char data[ROOM];
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(fi->fh == 7 ? 10 : ROOM);
	ssize_t n;

	(void)ino;
	(void)off;
	out.buf[0].mem = data;
	n = fuse_buf_copy(&out, in, 0);
	say("  write of %zu, took %zd", fuse_buf_size(in), n);
	print_hex(":", data, n > 0 ? (size_t)n : 0);
	/* fh 7 leaves data in the pipe: the next message must not find it there. */
	fuse_reply_write(req, (size_t)n);
}

static void fill(unsigned char *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)((i * 2654435761u) >> 11);
}

static void make_source(void)
{
	char path[] = "/tmp/session_api.XXXXXX";
	unsigned char *data = malloc(FILE_SIZE);

	fill(data, FILE_SIZE);
	source_fd = mkstemp(path);
	unlink(path);
	check(write(source_fd, data, FILE_SIZE) == FILE_SIZE, "source file");
	free(data);
}

static void reads(struct fake *k)
{
	static const struct {
		uint32_t size;
		uint64_t off;
	} at[] = {
		{ 10, 0 }, { 4096, 1 }, { 8192, 0 }, { 8193, 4095 }, { 65536, 100 },
		{ 131072, 0 }, { 131072, 100000 }, { 131072, 199999 }, { 131072, 200000 },
		{ 131072, 1 << 20 },
	};

	for (uint64_t fh = 1; fh <= 3; fh++) {
		for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
			char what[64];

			snprintf(what, sizeof(what), "read fh %d, %u at %llu", (int)fh, at[i].size,
				 (unsigned long long)at[i].off);
			ask(k, what, FUSE_READ, 2, "UUuuUuu", fh, at[i].off, at[i].size, 0u,
			    (uint64_t)0, 0u, 0u);
		}
	}
}

static void writes(struct fake *k)
{
	static struct message m;
	static unsigned char data[131072];
	static const uint32_t sizes[] = { 0, 1, 100, 4096, 4097, 65536, 131072 };

	fill(data, sizeof(data));
	for (uint64_t fh = 6; fh <= 7; fh++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			m.len = 0;
			put(&m, "UUuuUuub", fh, (uint64_t)0, sizes[i], 0u, (uint64_t)0, 0u, 0u, data,
			    (size_t)sizes[i]);
			fake_send(k, FUSE_WRITE, 2, &m);
			fake_step(k);
			fake_replies(k, "write");
		}
	}
}

void test_splice(void)
{
	static const struct fuse_lowlevel_ops ops = {
		.init = o_init, .read = o_read, .write_buf = o_write_buf,
	};
	const struct fuse_custom_io io = {
		.read = fake_io_read, .writev = fake_io_writev,
		.splice_receive = splice_receive, .splice_send = splice_send,
	};
	struct fake *k;

	say("== splicing custom I/O\n");
	make_source();
	for (uint32_t minor = 13; minor <= 31; minor += 18) {
		say("kernel minor %u\n", minor);
		spliced_in = spliced_out = 0;
		k = fake_new_io(&ops, NULL, NULL, &io);
		fake_init(k, minor);
		reads(k);
		writes(k);
		fprintf(stderr, "minor %u: %zu messages spliced in, %zu out\n", minor, spliced_in,
			spliced_out);
		if (minor < 14)
			check(spliced_in == 0 && spliced_out == 0, "no splice before minor 14");
		fake_free(k);
	}
	close(source_fd);
}
