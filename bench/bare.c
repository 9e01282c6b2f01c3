/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The least that a daemon can do: one thread that reads requests from /dev/fuse and answers them from
 * memory, without a library. It ends when it is unmounted. memory_ll.c answers the same by a library.
 *
 * Usage: bare MOUNTPOINT [-f] [-p]
 *   -f  for nothing, as other daemons need it
 *   -p  placed: under SCHED_IDLE, on the processor that the client was on when last looked for, each
 *       4 ms. This is what ferrofuse does with workers where it pays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

#define MAX_WRITE (1u << 20)
#define LOOK_EVERY 4000000

static int device;
static _Alignas(4096) char request[MAX_WRITE + 4096];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(const struct fuse_in_header *in, int error, const void *body, size_t size)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + size), .error = -error, .unique = in->unique };
	struct iovec iov[2] = { { &out, sizeof(out) }, { (void *)(uintptr_t)body, size } };

	/* A request that was interrupted is no longer known. */
	if (writev(device, iov, size ? 2 : 1) < 0 && errno != ENOENT)
		fail("writev");
}

static struct fuse_attr attributes(uint64_t ino)
{
	return (struct fuse_attr){
		.ino = ino, .size = memory_size(ino), .nlink = 1, .blksize = 4096,
		.mode = ino == MEMORY_ROOT ? S_IFDIR | 0755 : S_IFREG | 0644,
	};
}

/* As the libraries do: with other flags, the kernel would go other ways. */
static void do_init(const struct fuse_in_header *in, const struct fuse_init_in *arg)
{
	struct fuse_init_out out = {
		.major = 7, .minor = 31, .max_readahead = arg->max_readahead, .max_write = MAX_WRITE,
		.time_gran = 1, .max_pages = MAX_WRITE / 4096,
		.flags = arg->flags & (FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |
				       FUSE_AUTO_INVAL_DATA | FUSE_ASYNC_DIO | FUSE_MAX_PAGES),
	};

	answer(in, 0, &out, sizeof(out));
}

static void do_lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = { .nodeid = in->nodeid == MEMORY_ROOT ? memory_find(name) : 0 };

	if (!out.nodeid) {
		answer(in, ENOENT, NULL, 0);
		return;
	}
	out.entry_valid = out.attr_valid = memory_valid(out.nodeid);
	out.attr = attributes(out.nodeid);
	answer(in, 0, &out, sizeof(out));
}

static void serve(const struct fuse_in_header *in)
{
	const void *body = in + 1;

	switch (in->opcode) {
	case FUSE_INIT:
		do_init(in, body);
		break;
	case FUSE_LOOKUP:
		do_lookup(in, body);
		break;
	case FUSE_GETATTR: {
		struct fuse_attr_out out = { .attr_valid = memory_valid(in->nodeid), .attr = attributes(in->nodeid) };

		answer(in, 0, &out, sizeof(out));
		break;
	}
	case FUSE_OPEN: {
		struct fuse_open_out out = { 0 };

		answer(in, 0, &out, sizeof(out));
		break;
	}
	case FUSE_READ: {
		const struct fuse_read_in *arg = body;

		answer(in, 0, memory_data + arg->offset, memory_left(in->nodeid, arg->offset, arg->size));
		break;
	}
	case FUSE_RELEASE:
	case FUSE_STATFS: {
		struct fuse_statfs_out out = { .st = { .bsize = 512, .namelen = 255 } };

		answer(in, 0, &out, in->opcode == FUSE_STATFS ? sizeof(out) : 0);
		break;
	}
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(in, ENOSYS, NULL, 0);
	}
}

/* The processor that a thread ran on last, or -1: the 39th word of its stat, the second one in brackets. */
static int processor_of(uint32_t thread)
{
	char path[64], text[512];
	const char *at;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	at = strrchr(text, ')');
	for (int word = 2; at && word < 39; word++)
		at = strchr(at + 1, ' ');
	return at ? atoi(at) : -1;
}

static void follow(uint32_t thread)
{
	static uint64_t looked;
	static int here = -1;
	struct timespec t;
	uint64_t now;
	int there;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	if (now - looked < LOOK_EVERY)
		return;
	looked = now;
	there = processor_of(thread);
	if (there >= 0 && there != here) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(there, &set);
		if (sched_setaffinity(0, sizeof(set), &set) != 0)
			fail("sched_setaffinity");
		here = there;
	}
}

static void loop(int placed)
{
	const struct fuse_in_header *in = (const void *)request;

	for (;;) {
		ssize_t size = read(device, request, sizeof(request));

		if (size < 0 && errno == ENODEV)
			return;
		if (size < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
			fail("read");
		if (size < (ssize_t)sizeof(*in))
			continue;
		serve(in);
		if (placed && in->pid)
			follow(in->pid);
	}
}

int main(int argc, char **argv)
{
	struct sched_param none = { 0 };
	char options[64];
	int option, placed = 0;

	while ((option = getopt(argc, argv, "fp")) != -1) {
		if (option == '?')
			return 2;
		placed |= option == 'p';
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "usage: bare MOUNTPOINT [-f] [-p]\n");
		return 2;
	}
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail("/dev/fuse");
	memset(memory_data, 'x', sizeof(memory_data));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("bare", argv[optind], "fuse.bare", MS_NOSUID | MS_NODEV, options) != 0)
		fail("mount");
	if (placed && sched_setscheduler(0, SCHED_IDLE, &none) != 0)
		fail("sched_setscheduler");
	loop(placed);
	return 0;
}
