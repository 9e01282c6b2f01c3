/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What bare.c answers, by a library.
 *
 * Usage: memory_ll MOUNTPOINT -f [-s] [-o socket]
 *   -o socket  what is read comes from a stream socket, which a process of its own fills
 */
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stddef.h>
#include <sys/socket.h>

#include "daemon.h"
#include "memory.h"

struct memory {
	int socket; /* the option */
	int stream; /* to be read from; -1: none */
};

static const struct fuse_opt options[] = {
	{ "socket", offsetof(struct memory, socket), 1 },
	FUSE_OPT_END,
};

static struct stat attributes(fuse_ino_t ino)
{
	return (struct stat){
		.st_ino = ino,
		.st_mode = ino == MEMORY_ROOT ? S_IFDIR | 0755 : S_IFREG | 0644,
		.st_nlink = 1,
		.st_size = (off_t)memory_size(ino),
	};
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .ino = parent == MEMORY_ROOT ? memory_find(name) : 0 };

	if (!e.ino) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	e.attr = attributes(e.ino);
	e.attr_timeout = e.entry_timeout = memory_valid(e.ino);
	fuse_reply_entry(req, &e);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = attributes(ino);

	(void)fi;
	fuse_reply_attr(req, &st, memory_valid(ino));
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_open(req, fi);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	const struct memory *memory = fuse_req_userdata(req);
	size_t left = memory_left(ino, (uint64_t)offset, size);

	(void)fi;
	if (left && memory->stream >= 0) {
		struct fuse_bufvec data = FUSE_BUFVEC_INIT(left);

		data.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_RETRY;
		data.buf[0].fd = memory->stream;
		fuse_reply_data(req, &data, 0);
		return;
	}
	fuse_reply_buf(req, left ? memory_data + offset : NULL, left);
}

/* The other end of a socket that has always something to read; its process ends with the last reader. */
static int endless(void)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		while (write(ends[1], memory_data, 1 << 17) > 0)
			;
		_exit(0);
	}
	close(ends[1]);
	if (pid > 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup, .getattr = do_getattr, .open = do_open, .read = do_read,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct memory memory = { .stream = -1 };
	struct daemon_spec spec = { .ops = &operations, .ops_size = sizeof(operations), .userdata = &memory };

	if (fuse_opt_parse(&args, &memory, options, NULL) != 0)
		return 1;
	memset(memory_data, 'x', sizeof(memory_data));
	if (memory.socket && (memory.stream = endless()) < 0) {
		perror("socket");
		return 1;
	}
	return daemon_run(&args, &spec);
}
