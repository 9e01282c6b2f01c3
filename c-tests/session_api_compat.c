/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Requests and replies whose layout depends on the kernel's protocol minor. */
#include "session_api.h"

#define FH (uint64_t)0x1111222233334444
#define OWNER (uint64_t)0x5555666677778888

static void by_minor(uint32_t minor)
{
	struct fake *k = fake_new(&printing_ops, NULL);

	say("== kernel minor %u\n", minor);
	fake_init(k, minor);
	ask(k, "lookup", FUSE_LOOKUP, 1, "s", "name");
	if (minor < 9)
		ask(k, "getattr", FUSE_GETATTR, 2, "");
	else
		ask(k, "getattr", FUSE_GETATTR, 2, "uuU", 1u, 0u, FH);
	if (minor < 9) {
		ask(k, "read", FUSE_READ, 2, "UUuu", FH, (uint64_t)5, 100u, 0u);
		ask(k, "write", FUSE_WRITE, 2, "UUuus", FH, (uint64_t)5, 4u, 0u, "abc");
	} else {
		ask(k, "read", FUSE_READ, 2, "UUuuUuu", FH, (uint64_t)5, 100u, 2u, OWNER, 1u, 0u);
		ask(k, "write", FUSE_WRITE, 2, "UUuuUuus", FH, (uint64_t)5, 4u, 2u, OWNER, 1u, 0u, "abc");
	}
	if (minor < 12) {
		ask(k, "mknod", FUSE_MKNOD, 1, "uus", 0100600u, 0u, "node");
		ask(k, "create", FUSE_CREATE, 1, "uus", 1u, 0100600u, "made");
	} else {
		ask(k, "mknod", FUSE_MKNOD, 1, "uuuus", 0100600u, 0u, 027u, 0u, "node");
		ask(k, "create", FUSE_CREATE, 1, "uuuus", 1u, 0100600u, 027u, 0u, "made");
	}
	ask(k, "mkdir", FUSE_MKDIR, 1, "uus", 0755u, 027u, "dir");
	ask(k, "statfs", FUSE_STATFS, 1, "");
	ask(k, "release", FUSE_RELEASE, 2, "UuuU", FH, 1u, 1u, OWNER);
	ask(k, "flush", FUSE_FLUSH, 2, "UuuU", FH, 0u, 0u, OWNER);
	ask(k, "poll", FUSE_POLL, 2, "UUuu", FH, (uint64_t)1, 0u, 5u);
	ask(k, "setattr", FUSE_SETATTR, 2, "uuUUUUUUuuuuuuuu", 0x408u, 0u, FH, (uint64_t)1, OWNER,
	    (uint64_t)1, (uint64_t)2, (uint64_t)3, 1u, 2u, 3u, 0u, 0u, 0u, 0u, 0u);
	fake_free(k);
}

/* "No such name" with a validity: before minor 4 the kernel knows only the error. */
static void o_negative(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .ino = 0, .entry_timeout = 10 };

	(void)parent;
	(void)name;
	say("  reply_entry: %d\n", fuse_reply_entry(req, &e));
}

static void o_retry(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		    struct fuse_file_info *fi, unsigned int flags, const void *in, size_t insz,
		    size_t outsz)
{
	struct iovec in_iov[2] = { { (void *)0x1000, 16 }, { (void *)0x2000, 32 } };
	struct iovec out_iov = { (void *)0x3000, 64 };

	(void)ino;
	(void)cmd;
	(void)arg;
	(void)fi;
	(void)flags;
	(void)in;
	(void)insz;
	(void)outsz;
	say("  reply_ioctl_retry: %d\n", fuse_reply_ioctl_retry(req, in_iov, 2, &out_iov, 1));
}

static void retries_and_negatives(uint32_t minor)
{
	static const struct fuse_lowlevel_ops ops = { .lookup = o_negative, .ioctl = o_retry };
	struct fake *k = fake_new(&ops, NULL);

	say("== negative entry and ioctl retry, kernel minor %u\n", minor);
	fake_init(k, minor);
	ask(k, "lookup", FUSE_LOOKUP, 1, "s", "none");
	ask(k, "ioctl", FUSE_IOCTL, 2, "UuuUuu", FH, 2u, 0x4604u, (uint64_t)1, 0u, 0u);
	fake_free(k);
}

void test_compat(void)
{
	static const uint32_t minors[] = { 5, 8, 9, 11, 12, 20, 21, 22, 23, 31, 38, 45 };

	for (size_t i = 0; i < sizeof(minors) / sizeof(*minors); i++)
		by_minor(minors[i]);
	retries_and_negatives(15);
	retries_and_negatives(16);
	retries_and_negatives(31);
}
