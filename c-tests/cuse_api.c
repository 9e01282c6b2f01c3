/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Character devices (cuse_lowlevel_*) without /dev/cuse: a session over custom
 * I/O with a scripted kernel, whose replies are shown; and what setup and main say
 * where there is no such device.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 314

#include <cuse_lowlevel.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_opt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct message {
	const char *name;
	uint32_t opcode, size;
	uint32_t body[24];
};

static struct message script[] = {
	{ "OPEN before INIT", 14, 8, { O_RDWR } },
	{ "CUSE_INIT", 4096, 16, { 7, 31, 0, 1 } },
	{ "CUSE_INIT again", 4096, 16, { 7, 31, 0, 1 } },
	{ "OPEN", 14, 8, { O_RDWR } },
	{ "READ", 15, 40, { 5, 0, 7, 0, 64 } },
	{ "WRITE", 16, 44, { 5, 0, 7, 0, 4, 0, 0, 0, 0, 0, 0x64636261 } },
	{ "IOCTL", 39, 36, { 5, 0, 0, 0x80044601, 0, 0, 4, 4, 0x01020304 } },
	{ "IOCTL unrestricted", 39, 32, { 5, 0, 1, 0x80044602, 0x1000, 0, 0, 0 } },
	{ "POLL", 40, 24, { 5, 0, 9, 0, 1, POLLIN } },
	{ "FSYNC", 20, 16, { 5, 0, 1 } },
	{ "FLUSH", 25, 24, { 5, 0, 0, 0, 8, 0 } },
	{ "RELEASE", 18, 24, { 5, 0, O_RDWR, 1, 8, 0 } },
	{ "GETATTR", 3, 16, { 0 } },
	{ "LOOKUP", 1, 8, { 0x61 } },
	{ "STATFS", 17, 0, { 0 } },
};

static unsigned int at;
static unsigned int major_sent = 7;

static ssize_t kernel_read(int fd, void *buf, size_t size, void *data)
{
	uint32_t header[10] = { 0 };
	struct message *m = &script[at];

	(void)fd;
	(void)data;
	if (at == sizeof(script) / sizeof(*script)) {
		errno = ENODEV;
		return -1;
	}
	at++;
	printf("%s\n", m->name);
	if (m->opcode == 4096)
		m->body[0] = major_sent;
	header[0] = (uint32_t)sizeof(header) + m->size;
	header[1] = m->opcode;
	header[2] = at;
	if (size < header[0])
		abort();
	memcpy(buf, header, sizeof(header));
	memcpy((char *)buf + sizeof(header), m->body, m->size);
	return header[0];
}

static ssize_t kernel_writev(int fd, struct iovec *iov, int count, void *data)
{
	unsigned char all[8192];
	size_t size = 0;

	(void)fd;
	(void)data;
	for (int i = 0; i < count && size + iov[i].iov_len <= sizeof(all); i++) {
		memcpy(all + size, iov[i].iov_base, iov[i].iov_len);
		size += iov[i].iov_len;
	}
	/* The minor is each library's own. */
	if (size >= 24 && script[at - 1].opcode == 4096)
		memset(all + 20, 0xee, 4);
	printf("    answer:");
	for (size_t i = 0; i < size; i++)
		printf("%s%02x", i % 4 ? "" : " ", all[i]);
	printf("\n");
	return (ssize_t)size;
}

static void dev_init(void *data, struct fuse_conn_info *conn)
{
	printf("    init %s %u.%u write %u read %u capable %x want %x\n", (char *)data,
	       conn->proto_major, conn->proto_minor == 31 ? 31 : 0, conn->max_write, conn->max_read,
	       conn->capable, conn->want);
}

static void dev_init_done(void *data)
{
	printf("    init_done %s\n", (char *)data);
}

static void dev_destroy(void *data)
{
	printf("destroy %s\n", (char *)data);
}

static void dev_open(fuse_req_t req, struct fuse_file_info *fi)
{
	printf("    open %x %s\n", fi->flags, (char *)fuse_req_userdata(req));
	fi->fh = 5;
	fuse_reply_open(req, fi);
}

static void dev_read(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi)
{
	printf("    read %zu %lld %llu\n", size, (long long)off, (unsigned long long)fi->fh);
	fuse_reply_buf(req, "read", 4);
}

static void dev_write(fuse_req_t req, const char *buf, size_t size, off_t off,
		      struct fuse_file_info *fi)
{
	printf("    write %.*s %lld %llu\n", (int)size, buf, (long long)off,
	       (unsigned long long)fi->fh);
	fuse_reply_write(req, size);
}

static void dev_flush(fuse_req_t req, struct fuse_file_info *fi)
{
	printf("    flush %llu owner %llu\n", (unsigned long long)fi->fh,
	       (unsigned long long)fi->lock_owner);
	fuse_reply_err(req, 0);
}

static void dev_release(fuse_req_t req, struct fuse_file_info *fi)
{
	printf("    release %llu %x flush %d\n", (unsigned long long)fi->fh, fi->flags, fi->flush);
	fuse_reply_err(req, 0);
}

static void dev_fsync(fuse_req_t req, int datasync, struct fuse_file_info *fi)
{
	printf("    fsync %d %llu\n", datasync, (unsigned long long)fi->fh);
	fuse_reply_err(req, EIO);
}

static void dev_ioctl(fuse_req_t req, int cmd, void *arg, struct fuse_file_info *fi,
		      unsigned int flags, const void *in, size_t in_size, size_t out_size)
{
	printf("    ioctl %x %p %llu flags %x in %zu out %zu\n", (unsigned int)cmd, arg,
	       (unsigned long long)fi->fh, flags, in_size, out_size);
	if (in_size)
		fuse_reply_ioctl(req, 3, in, in_size);
	else
		fuse_reply_err(req, ENOTTY);
}

static void dev_poll(fuse_req_t req, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	printf("    poll %x %s\n", fi->poll_events, ph ? "with a handle" : "at once");
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN);
}

static const struct cuse_lowlevel_ops ops = {
	.init = dev_init,
	.init_done = dev_init_done,
	.destroy = dev_destroy,
	.open = dev_open,
	.read = dev_read,
	.write = dev_write,
	.flush = dev_flush,
	.release = dev_release,
	.fsync = dev_fsync,
	.ioctl = dev_ioctl,
	.poll = dev_poll,
};

static const struct cuse_lowlevel_ops few = {
	.read = dev_read,
	.write = dev_write,
};

static void serve(const struct cuse_lowlevel_ops *clop, unsigned int flags, unsigned int major)
{
	const char *info[] = { "DEVNAME=ferrotest", "OTHER=thing" };
	struct cuse_info ci = { .dev_major = 240, .dev_minor = 3, .dev_info_argc = 2,
				.dev_info_argv = info, .flags = flags };
	char *argv[] = { "cuse_api", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_custom_io io = { .writev = kernel_writev, .read = kernel_read };
	struct fuse_session *se;

	printf("serve, flags %u, major %u\n", flags, major);
	at = 0;
	major_sent = major;
	se = cuse_lowlevel_new(&args, &ci, clop, "data");
	if (!se) {
		printf("NULL\n");
		return;
	}
	fuse_session_custom_io(se, &io, open("/dev/null", O_RDWR));
	printf("loop = %d\n", fuse_session_loop(se));
	fuse_session_destroy(se);
	fuse_opt_free_args(&args);
}

static void set_up(int argc, char **argv)
{
	const char *info[] = { "DEVNAME=ferrotest" };
	struct cuse_info ci = { .dev_info_argc = 1, .dev_info_argv = info };
	int mt = -1;
	struct fuse_session *se;

	printf("setup %s\n", argc > 1 ? argv[1] : "");
	se = cuse_lowlevel_setup(argc, argv, &ci, &ops, &mt, "data");
	printf("%s\n", se ? "a session" : "NULL");
	printf("main = %d\n", cuse_lowlevel_main(argc, argv, &ci, &ops, "data"));
}

int main(void)
{
	char *plain[] = { "cuse_api", "-f", NULL };
	char *help[] = { "cuse_api", "-h", NULL };
	char *version[] = { "cuse_api", "-V", NULL };
	char *unknown[] = { "cuse_api", "--nonsense", NULL };
	char *option[] = { "cuse_api", "-ononsense", NULL };
	char *mountpoint[] = { "cuse_api", "/tmp", NULL };
	static char big[5000];
	const char *too_much[] = { big };
	struct cuse_info ci = { .dev_info_argc = 1, .dev_info_argv = too_much };
	struct fuse_args args = FUSE_ARGS_INIT(1, plain);

	setvbuf(stdout, NULL, _IOLBF, 0);
	serve(&ops, 0, 7);
	serve(&ops, CUSE_UNRESTRICTED_IOCTL, 7);
	serve(&few, 0, 7);
	memset(big, 'x', sizeof(big) - 1);
	printf("too much: %s\n", cuse_lowlevel_new(&args, &ci, &ops, NULL) ? "a session" : "NULL");
	if (access("/dev/cuse", F_OK) == 0) {
		printf("there is a /dev/cuse\n");
		return 77;
	}
	set_up(2, plain);
	set_up(2, help);
	set_up(2, version);
	set_up(2, unknown);
	set_up(2, option);
	set_up(2, mountpoint);
	return 0;
}
