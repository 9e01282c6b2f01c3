/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Each reply function: its bytes and its result; and the directory entry builders. */
#include "session_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static int source_fd = -1; /* 10,000 bytes */

static struct stat some_stat(void)
{
	struct stat st = {
		.st_ino = 42, .st_mode = S_IFDIR | 0711, .st_nlink = 2, .st_size = 4096,
		.st_blocks = 8, .st_blksize = 512, .st_uid = 0xfffffffe, .st_gid = 7,
		.st_rdev = 0xfff12345,
	};

	st.st_atim = (struct timespec){ -1, 999999999 };
	st.st_mtim = (struct timespec){ 1LL << 33, 0 };
	st.st_ctim = (struct timespec){ 0, 1 };
	return st;
}

static int entry_with(fuse_req_t req, double attr_timeout, double entry_timeout)
{
	struct fuse_entry_param e = {
		.ino = 1ULL << 60, .generation = 0xfedcba9876543210, .attr = some_stat(),
		.attr_timeout = attr_timeout, .entry_timeout = entry_timeout,
	};

	return fuse_reply_entry(req, &e);
}

static int r_entry(fuse_req_t q) { return entry_with(q, 0.5, 1.999999999); }
static int r_entry_negative_time(fuse_req_t q) { return entry_with(q, -1, -0.001); }
static int r_entry_long_time(fuse_req_t q) { return entry_with(q, 1e30, 4294967296.0); }

static int r_entry_none(fuse_req_t req)
{
	struct fuse_entry_param e = { .ino = 0, .entry_timeout = 3 };

	return fuse_reply_entry(req, &e);
}

static int r_attr(fuse_req_t req)
{
	struct stat st = some_stat();

	return fuse_reply_attr(req, &st, 86400.25);
}

static int open_with(fuse_req_t req, int bit)
{
	struct fuse_file_info fi = { .fh = 0x0102030405060708 };

	fi.direct_io = bit == 0;
	fi.keep_cache = bit == 1;
	fi.nonseekable = bit == 2;
	fi.cache_readdir = bit == 3;
	fi.noflush = bit == 4;
	/* Not for the kernel: must leave no trace. */
	fi.flush = fi.writepage = fi.flock_release = bit == 5;
	return fuse_reply_open(req, &fi);
}

static int r_open_direct(fuse_req_t q) { return open_with(q, 0); }
static int r_open_keep(fuse_req_t q) { return open_with(q, 1); }
static int r_open_nonseek(fuse_req_t q) { return open_with(q, 2); }
static int r_open_cache_readdir(fuse_req_t q) { return open_with(q, 3); }
static int r_open_noflush(fuse_req_t q) { return open_with(q, 4); }
static int r_open_others(fuse_req_t q) { return open_with(q, 5); }

static int r_create(fuse_req_t req)
{
	struct fuse_file_info fi = { .fh = 11, .keep_cache = 1 };
	struct fuse_entry_param e = { .ino = 12, .attr = some_stat(), .attr_timeout = 1 };

	return fuse_reply_create(req, &e, &fi);
}

static int r_err0(fuse_req_t q) { return fuse_reply_err(q, 0); }
static int r_err(fuse_req_t q) { return fuse_reply_err(q, ENOTCONN); }
static int r_err_large(fuse_req_t q) { return fuse_reply_err(q, 5000); }
static int r_err_negative(fuse_req_t q) { return fuse_reply_err(q, -ENOENT); }
static int r_none(fuse_req_t q) { fuse_reply_none(q); return 0; }
static int r_readlink(fuse_req_t q) { return fuse_reply_readlink(q, "link/target"); }
static int r_readlink_empty(fuse_req_t q) { return fuse_reply_readlink(q, ""); }
static int r_write(fuse_req_t q) { return fuse_reply_write(q, 123456); }
static int r_buf(fuse_req_t q) { return fuse_reply_buf(q, "some bytes", 10); }
static int r_buf_empty(fuse_req_t q) { return fuse_reply_buf(q, NULL, 0); }
static int r_xattr(fuse_req_t q) { return fuse_reply_xattr(q, 65536); }
static int r_bmap(fuse_req_t q) { return fuse_reply_bmap(q, 0x123456789abcdef0); }
static int r_poll(fuse_req_t q) { return fuse_reply_poll(q, 0x1f); }
static int r_lseek(fuse_req_t q) { return fuse_reply_lseek(q, 1LL << 50); }
static int r_ioctl(fuse_req_t q) { return fuse_reply_ioctl(q, 17, "ioctl out", 9); }
static int r_ioctl_empty(fuse_req_t q) { return fuse_reply_ioctl(q, -1, NULL, 0); }

static int r_iov(fuse_req_t req)
{
	struct iovec iov[3] = { { "one ", 4 }, { NULL, 0 }, { "three", 5 } };

	return fuse_reply_iov(req, iov, 3);
}

static int r_iov_none(fuse_req_t q) { return fuse_reply_iov(q, NULL, 0); }

static int r_ioctl_iov(fuse_req_t req)
{
	struct iovec iov[2] = { { "first", 5 }, { "second", 6 } };

	return fuse_reply_ioctl_iov(req, 3, iov, 2);
}

static int r_ioctl_retry(fuse_req_t req)
{
	struct iovec in[1] = { { (void *)0x7fff0000, 24 } };
	struct iovec out[2] = { { (void *)0x1000, 1 }, { (void *)0x2000, 2 } };

	return fuse_reply_ioctl_retry(req, in, 1, out, 2);
}

static int r_ioctl_retry_in_only(fuse_req_t req)
{
	struct iovec in[1] = { { (void *)0x7fff0000, 24 } };

	return fuse_reply_ioctl_retry(req, in, 1, NULL, 0);
}

static int r_statfs(fuse_req_t req)
{
	struct statvfs st = { .f_bsize = 1, .f_frsize = 2, .f_blocks = 3, .f_bfree = 4,
			      .f_bavail = 5, .f_files = 6, .f_ffree = 7, .f_namemax = 8,
			      .f_fsid = 9, .f_flag = 10, .f_favail = 11 };

	return fuse_reply_statfs(req, &st);
}

static int lock_with(fuse_req_t req, short type, off_t start, off_t len)
{
	struct flock l = { .l_type = type, .l_start = start, .l_len = len, .l_pid = 77 };

	return fuse_reply_lock(req, &l);
}

static int r_lock_free(fuse_req_t q) { return lock_with(q, F_UNLCK, 5, 6); }
static int r_lock_range(fuse_req_t q) { return lock_with(q, F_WRLCK, 100, 50); }
static int r_lock_to_end(fuse_req_t q) { return lock_with(q, F_RDLCK, 100, 0); }

/* ---- fuse_reply_data */

static int r_data_memory(fuse_req_t req)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(11);

	v.buf[0].mem = "from memory";
	return fuse_reply_data(req, &v, 0);
}

static int r_data_empty(fuse_req_t req)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(0);

	return fuse_reply_data(req, &v, 0);
}

static int data_fd(fuse_req_t req, int fd, enum fuse_buf_flags flags, size_t size, off_t pos)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(size);

	v.buf[0].flags = FUSE_BUF_IS_FD | flags;
	v.buf[0].fd = fd;
	v.buf[0].pos = pos;
	return fuse_reply_data(req, &v, FUSE_BUF_SPLICE_MOVE);
}

static int r_data_fd(fuse_req_t q) { return data_fd(q, source_fd, FUSE_BUF_FD_SEEK, 9000, 500); }
static int r_data_eof(fuse_req_t q) { return data_fd(q, source_fd, FUSE_BUF_FD_SEEK, 9000, 9900); }
static int r_data_past(fuse_req_t q) { return data_fd(q, source_fd, FUSE_BUF_FD_SEEK, 10, 10000); }
static int r_data_bad(fuse_req_t q) { return data_fd(q, -1, FUSE_BUF_FD_SEEK, 10, 0); }

static int r_data_stream(fuse_req_t req)
{
	int p[2], res;

	if (pipe(p) != 0 || write(p[1], "through a pipe", 14) != 14)
		return -1;
	close(p[1]);
	/* A stream gives what it has; asked to, the library goes on to the end. */
	res = data_fd(req, p[0], FUSE_BUF_FD_RETRY, 100, 0);
	close(p[0]);
	return res;
}

static int r_data_mixed(fuse_req_t req)
{
	union {
		struct fuse_bufvec v;
		char room[sizeof(struct fuse_bufvec) + 2 * sizeof(struct fuse_buf)];
	} u = { .v = { .count = 3 } };

	u.v.buf[0] = (struct fuse_buf){ .size = 5, .mem = "head " };
	u.v.buf[1] = (struct fuse_buf){ .size = 20, .fd = source_fd, .pos = 100,
					.flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK };
	u.v.buf[2] = (struct fuse_buf){ .size = 5, .mem = " tail" };
	return fuse_reply_data(req, &u.v, 0);
}

static int r_data_offset(fuse_req_t req)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(11);

	v.buf[0].mem = "from memory";
	v.off = 5;
	return fuse_reply_data(req, &v, 0);
}

#define CASE(f) { #f, f }
static const struct {
	const char *name;
	int (*reply)(fuse_req_t req);
} cases[] = {
	CASE(r_entry), CASE(r_entry_negative_time), CASE(r_entry_long_time), CASE(r_entry_none),
	CASE(r_attr), CASE(r_open_direct), CASE(r_open_keep), CASE(r_open_nonseek),
	CASE(r_open_cache_readdir), CASE(r_open_noflush), CASE(r_open_others), CASE(r_create),
	CASE(r_err0), CASE(r_err), CASE(r_err_large), CASE(r_err_negative), CASE(r_none),
	CASE(r_readlink), CASE(r_readlink_empty), CASE(r_write), CASE(r_buf), CASE(r_buf_empty),
	CASE(r_xattr), CASE(r_bmap), CASE(r_poll), CASE(r_lseek), CASE(r_ioctl),
	CASE(r_ioctl_empty), CASE(r_iov), CASE(r_iov_none), CASE(r_ioctl_iov), CASE(r_ioctl_retry),
	CASE(r_ioctl_retry_in_only), CASE(r_statfs), CASE(r_lock_free), CASE(r_lock_range),
	CASE(r_lock_to_end), CASE(r_data_memory), CASE(r_data_empty), CASE(r_data_fd),
	CASE(r_data_eof), CASE(r_data_past), CASE(r_data_bad), CASE(r_data_stream),
	CASE(r_data_mixed), CASE(r_data_offset),
};

static size_t chosen;

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	(void)name;
	say("  returns %d\n", cases[chosen].reply(req));
}

static void make_source(void)
{
	char path[] = "/tmp/session_api.XXXXXX";
	unsigned char data[10000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 31 >> 3);
	source_fd = mkstemp(path);
	unlink(path);
	check(write(source_fd, data, sizeof(data)) == (ssize_t)sizeof(data), "source file");
}

void test_replies(void)
{
	static const struct fuse_lowlevel_ops ops = { .lookup = on_lookup };
	struct fake *k = fake_new(&ops, NULL);

	say("== replies\n");
	make_source();
	fake_init(k, 31);
	for (chosen = 0; chosen < sizeof(cases) / sizeof(*cases); chosen++) {
		say("%s\n", cases[chosen].name);
		ask(k, " ", FUSE_LOOKUP, 1, "s", "x");
	}
	/* The kernel has gone: replies report it, and nothing breaks. */
	chosen = 0;
	fake_send(k, FUSE_LOOKUP, 1, NULL);
	fake_free(k);
	close(source_fd);
}

void test_direntries(void)
{
	struct stat st = some_stat();
	struct fuse_entry_param e = { .ino = 5, .attr = st, .attr_timeout = 1, .entry_timeout = 2 };
	char name[256] = "", buf[512];

	say("== directory entries\n");
	for (size_t len = 1; len <= 17; len++) {
		name[len - 1] = (char)('a' + len - 1);
		name[len] = '\0';
		say("%zu: %zu %zu\n", len, fuse_add_direntry(NULL, NULL, 0, name, NULL, 0),
		    fuse_add_direntry_plus(NULL, NULL, 0, name, NULL, 0));
	}
	memset(name, 'n', 255);
	say("255: %zu\n", fuse_add_direntry(NULL, NULL, 0, name, NULL, 0));
	memset(buf, 0xee, sizeof(buf));
	say("too small: %zu\n", fuse_add_direntry(NULL, buf, 31, "name", &st, 9));
	print_hex("untouched:", buf, 8);
	say("fits: %zu\n", fuse_add_direntry(NULL, buf, 32, "name", &st, 9));
	print_hex("entry:", buf, 40);
	memset(buf, 0xee, sizeof(buf));
	say("padded: %zu\n", fuse_add_direntry(NULL, buf, 100, "names", &st, 1LL << 40));
	print_hex("entry:", buf, 48);
	memset(buf, 0xee, sizeof(buf));
	say("plus too small: %zu\n", fuse_add_direntry_plus(NULL, buf, 159, "name", &e, 9));
	print_hex("untouched:", buf, 8);
	say("plus: %zu\n", fuse_add_direntry_plus(NULL, buf, sizeof(buf), "plus", &e, 10));
	print_hex("entry:", buf, 168);
}
