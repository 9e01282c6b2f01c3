/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What bare.c answers, by a library.
 *
 * Usage: memory_ll MOUNTPOINT -f [-s]
 */
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <errno.h>
#include <fuse_lowlevel.h>

#include "daemon.h"
#include "memory.h"

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
	size_t left = memory_left(ino, (uint64_t)offset, size);

	(void)fi;
	fuse_reply_buf(req, left ? memory_data + offset : NULL, left);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup, .getattr = do_getattr, .open = do_open, .read = do_read,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = { .ops = &operations, .ops_size = sizeof(operations) };

	memset(memory_data, 'x', sizeof(memory_data));
	return daemon_run(&args, &spec);
}
