/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every request of a current kernel, decoded by the library and answered. */
#include "session_api.h"

#include <fcntl.h>

#define FH (uint64_t)0x1111222233334444
#define OWNER (uint64_t)0x5555666677778888

static void names(struct fake *k)
{
	ask(k, "lookup", FUSE_LOOKUP, 1, "s", "a name");
	ask(k, "lookup ..", FUSE_LOOKUP, 7, "s", "..");
	ask(k, "forget", FUSE_FORGET, 5, "U", (uint64_t)12345678901);
	ask(k, "batch_forget", FUSE_BATCH_FORGET, 0, "uuUUUU", 2u, 0u, (uint64_t)5, (uint64_t)1,
	    (uint64_t)6, (uint64_t)99);
	ask(k, "batch_forget of none", FUSE_BATCH_FORGET, 0, "uu", 0u, 0u);
	ask(k, "readlink", FUSE_READLINK, 3, "");
	ask(k, "symlink", FUSE_SYMLINK, 1, "ss", "new", "to/there");
	ask(k, "mknod", FUSE_MKNOD, 1, "uuuus", 020640u, 0x103u, 022u, 0u, "dev");
	ask(k, "mkdir", FUSE_MKDIR, 1, "uus", 0755u, 027u, "dir");
	ask(k, "unlink", FUSE_UNLINK, 1, "s", "u");
	ask(k, "rmdir", FUSE_RMDIR, 1, "s", "r");
	ask(k, "rename", FUSE_RENAME, 1, "Uss", (uint64_t)8, "old", "new");
	ask(k, "rename2", FUSE_RENAME2, 1, "Uuuss", (uint64_t)8, 2u, 0u, "old", "new");
	ask(k, "link", FUSE_LINK, 4, "Us", (uint64_t)6, "hard");
}

static void attributes(struct fake *k)
{
	ask(k, "getattr", FUSE_GETATTR, 2, "uuU", 0u, 0u, (uint64_t)0);
	ask(k, "getattr of an open file", FUSE_GETATTR, 2, "uuU", 1u, 0u, FH);
	ask(k, "setattr", FUSE_SETATTR, 2, "uuUUUUUUuuuuuuuu", 0x1ffu, 0u, FH, (uint64_t)1 << 40,
	    OWNER, (uint64_t)1000000001, (uint64_t)1000000002, (uint64_t)1000000003, 11u, 12u, 13u,
	    0100600u, 0u, 501u, 502u, 0u);
	ask(k, "setattr now, ctime, kill", FUSE_SETATTR, 2, "uuUUUUUUuuuuuuuu", 0xd88u, 0u,
	    (uint64_t)0, (uint64_t)5, (uint64_t)0, (uint64_t)1, (uint64_t)2, (uint64_t)3, 0u, 0u,
	    0u, 0u, 0u, 0u, 0u, 0u);
	ask(k, "statfs", FUSE_STATFS, 1, "");
	ask(k, "access", FUSE_ACCESS, 2, "uu", 6u, 0u);
	ask(k, "setxattr", FUSE_SETXATTR, 2, "uusU", 8u, 1u, "user.name", (uint64_t)0x4847464544434241);
	ask(k, "getxattr size", FUSE_GETXATTR, 2, "uus", 0u, 0u, "user.name");
	ask(k, "getxattr", FUSE_GETXATTR, 2, "uus", 100u, 0u, "user.name");
	ask(k, "listxattr", FUSE_LISTXATTR, 2, "uu", 100u, 0u);
	ask(k, "removexattr", FUSE_REMOVEXATTR, 2, "s", "user.name");
}

static void open_files(struct fake *k)
{
	ask(k, "open", FUSE_OPEN, 2, "uu", (uint32_t)(O_RDWR | O_APPEND), 0u);
	ask(k, "create", FUSE_CREATE, 1, "uuuus", (uint32_t)(O_WRONLY | O_EXCL), 0100644u, 077u, 0u,
	    "made");
	ask(k, "read", FUSE_READ, 2, "UUuuUuu", FH, (uint64_t)1 << 33, 4096u, 2u, OWNER, 2u, 0u);
	ask(k, "read, no owner", FUSE_READ, 2, "UUuuUuu", FH, (uint64_t)0, 100u, 0u, OWNER, 0u, 0u);
	ask(k, "write", FUSE_WRITE, 2, "UUuuUuus", FH, (uint64_t)777, 7u, 3u, OWNER, 1u, 0u, "abcdef");
	ask(k, "flush", FUSE_FLUSH, 2, "UuuU", FH, 0u, 0u, OWNER);
	ask(k, "release", FUSE_RELEASE, 2, "UuuU", FH, 2u, 0u, OWNER);
	ask(k, "release with flags", FUSE_RELEASE, 2, "UuuU", FH, 2u, 3u, OWNER);
	ask(k, "fsync", FUSE_FSYNC, 2, "Uuu", FH, 1u, 0u);
	ask(k, "fallocate", FUSE_FALLOCATE, 2, "UUUuu", FH, (uint64_t)10, (uint64_t)20, 3u, 0u);
	ask(k, "lseek", FUSE_LSEEK, 2, "UUuu", FH, (uint64_t)4096, 3u, 0u);
	ask(k, "copy_file_range", FUSE_COPY_FILE_RANGE, 2, "UUUUUUU", FH, (uint64_t)1, (uint64_t)3,
	    OWNER, (uint64_t)2, (uint64_t)1000, (uint64_t)0);
	ask(k, "bmap", FUSE_BMAP, 2, "Uuu", (uint64_t)9, 512u, 0u);
}

static void directories(struct fake *k)
{
	ask(k, "opendir", FUSE_OPENDIR, 1, "uu", (uint32_t)O_DIRECTORY, 0u);
	ask(k, "readdir", FUSE_READDIR, 1, "UUuuUuu", FH, (uint64_t)17, 4096u, 0u, (uint64_t)0, 0u, 0u);
	ask(k, "readdirplus", FUSE_READDIRPLUS, 1, "UUuuUuu", FH, (uint64_t)0, 4096u, 0u, (uint64_t)0,
	    0u, 0u);
	ask(k, "releasedir", FUSE_RELEASEDIR, 1, "UuuU", FH, 1u, 0u, (uint64_t)0);
	ask(k, "fsyncdir", FUSE_FSYNCDIR, 1, "Uuu", FH, 0u, 0u);
}

static void locks(struct fake *k)
{
	const uint64_t end = 0x7fffffffffffffff;

	ask(k, "getlk", FUSE_GETLK, 2, "UUUUuuuu", FH, OWNER, (uint64_t)10, (uint64_t)19, 1u, 0u, 0u, 0u);
	ask(k, "setlk to the end", FUSE_SETLK, 2, "UUUUuuuu", FH, OWNER, (uint64_t)10, end, 0u, 99u,
	    0u, 0u);
	ask(k, "setlkw", FUSE_SETLKW, 2, "UUUUuuuu", FH, OWNER, (uint64_t)0, (uint64_t)0, 1u, 99u, 0u,
	    0u);
	for (uint32_t type = 0; type < 3; type++) {
		ask(k, "flock", FUSE_SETLK, 2, "UUUUuuuu", FH, OWNER, (uint64_t)0, end, type, 99u, 1u, 0u);
		ask(k, "flock, waiting", FUSE_SETLKW, 2, "UUUUuuuu", FH, OWNER, (uint64_t)0, end, type,
		    99u, 1u, 0u);
	}
}

static void others(struct fake *k)
{
	ask(k, "ioctl", FUSE_IOCTL, 2, "UuuUuus", FH, 0u, 0x40044603u, (uint64_t)0x7fff1234, 4u, 8u,
	    "abc");
	ask(k, "ioctl of a dir, no data", FUSE_IOCTL, 2, "UuuUuu", FH, 0x10u, 0x4604u, (uint64_t)1, 0u,
	    0u);
	ask(k, "ioctl unrestricted, 32 bit", FUSE_IOCTL, 2, "UuuUuu", FH, 0xau, 0x4604u, (uint64_t)1,
	    0u, 0u);
	ask(k, "poll", FUSE_POLL, 2, "UUuu", FH, (uint64_t)0xaabb, 0u, 5u);
	ask(k, "poll with handle", FUSE_POLL, 2, "UUuu", FH, (uint64_t)0xccdd, 1u, 1u);
	/* Requests that no operation here answers, and numbers that are no request. */
	ask(k, "tmpfile", FUSE_TMPFILE, 1, "uuuus", 2u, 0100644u, 0u, 0u, "");
	ask(k, "setupmapping", FUSE_SETUPMAPPING, 2, "UUUUU", FH, (uint64_t)0, (uint64_t)0,
	    (uint64_t)0, (uint64_t)0);
	ask(k, "opcode 7", 7, 1, "");
	ask(k, "opcode 19", 19, 1, "");
	ask(k, "opcode 999", 999, 1, "U", (uint64_t)0);
	ask(k, "opcode 0", 0, 1, "");
	ask(k, "destroy", FUSE_DESTROY, 0, "");
}

/* The defaults: a filesystem without operations. */
static void nothing_implemented(void)
{
	static const struct fuse_lowlevel_ops none = { .init = NULL };
	struct fake *k = fake_new(&none, NULL);

	fake_init(k, 31);
	names(k);
	attributes(k);
	open_files(k);
	directories(k);
	locks(k);
	others(k);
	fake_free(k);
}

/* allow_root: others than the owner and root get EACCES, but for what open files need. */
static void allow_root(void)
{
	struct fake *k = fake_new_with(&printing_ops, "root", "allow_root");

	fake_init(k, 31);
	ask(k, "lookup", FUSE_LOOKUP, 1, "s", "a name");
	ask(k, "getattr", FUSE_GETATTR, 2, "uuU", 0u, 0u, (uint64_t)0);
	open_files(k);
	directories(k);
	fake_free(k);
}

void test_requests(void)
{
	struct fake *k = fake_new(&printing_ops, "userdata");

	say("== requests\n");
	fake_init(k, 31);
	names(k);
	attributes(k);
	open_files(k);
	directories(k);
	locks(k);
	others(k);
	fake_free(k);
	say("== requests without operations\n");
	nothing_implemented();
	say("== requests under allow_root\n");
	allow_root();
}
