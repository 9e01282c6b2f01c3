/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The fuse_fs_* family, fuse_new() and modules without a mount: a session over
 * custom I/O gets an INIT, and from init the operations are called as modules do.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 314

#include <fuse.h>
#include <fuse_lowlevel.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int given_path(const char *path)
{
	return path ? (int)strlen(path) : -1;
}

static int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	st->st_size = given_path(path);
	st->st_nlink = fi ? 2 : 1;
	return 0;
}

static int op_open(const char *path, struct fuse_file_info *fi)
{
	fi->fh = (uint64_t)given_path(path);
	fi->keep_cache = 1;
	return 0;
}

static int op_read(const char *path, char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	if (off < 0)
		return -EINVAL;
	if (off == 1000)
		return (int)size + 5; /* a lie, of which nothing is written */
	memset(buf, 'a' + (int)(off % 26), size);
	return (int)size;
}

static int op_read_buf(const char *path, struct fuse_bufvec **bufp, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct fuse_bufvec *v = malloc(sizeof(*v) + sizeof(struct fuse_buf));

	(void)path;
	(void)fi;
	*v = FUSE_BUFVEC_INIT(size / 2);
	v->count = 2;
	v->buf[0].mem = malloc(size / 2 + 1);
	memset(v->buf[0].mem, '0' + (int)(off % 10), size / 2);
	v->buf[1] = v->buf[0];
	v->buf[1].mem = malloc(size / 2 + 1);
	memset(v->buf[1].mem, 'z', size / 2);
	*bufp = v;
	/* A count is no error, though 0 is what the API asks for. */
	return off < 0 ? -ERANGE : off == 4 ? (int)size : 0;
}

static int op_write(const char *path, const char *buf, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	printf("    write %zu at %lld: %.*s\n", size, (long long)off, (int)size, buf);
	return off == 1000 ? (int)size + 1 : (int)size;
}

static int op_write_buf(const char *path, struct fuse_bufvec *buf, off_t off,
			struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	printf("    write_buf %zu of %zu at %lld\n", fuse_buf_size(buf), buf->count, (long long)off);
	return (int)fuse_buf_size(buf);
}

static void *op_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	(void)cfg;
	return strdup("made by init");
}

static void op_destroy(void *data)
{
	printf("    destroy: %s\n", data ? (char *)data : "nothing");
}

static const struct fuse_operations some = {
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.init = op_init,
	.destroy = op_destroy,
};

static const struct fuse_operations bufs = {
	.read_buf = op_read_buf,
	.write_buf = op_write_buf,
};

#define SHOW(call) printf("%s = %ld\n", #call, (long)(call))

static void missing(struct fuse_fs *none)
{
	struct fuse_file_info fi = { .fh = 3 };
	struct stat st = { 0 };
	struct statvfs vfs = { 0 };
	struct flock lock = { 0 };
	struct timespec tv[2] = { { 0, 0 }, { 0, 0 } };
	struct fuse_bufvec *v = NULL;
	struct fuse_bufvec one = FUSE_BUFVEC_INIT(1);
	uint64_t idx = 0;
	unsigned events = 0;
	char buf[8] = "";

	one.buf[0].mem = buf;
	SHOW(fuse_fs_getattr(none, "/", &st, NULL));
	SHOW(fuse_fs_rename(none, "/a", "/b", 0));
	SHOW(fuse_fs_unlink(none, "/a"));
	SHOW(fuse_fs_rmdir(none, "/a"));
	SHOW(fuse_fs_symlink(none, "t", "/a"));
	SHOW(fuse_fs_link(none, "/a", "/b"));
	SHOW(fuse_fs_release(none, "/a", &fi));
	SHOW(fuse_fs_open(none, "/a", &fi));
	SHOW(fuse_fs_read(none, "/a", buf, 1, 0, &fi));
	SHOW(fuse_fs_read_buf(none, "/a", &v, 1, 0, &fi));
	SHOW(fuse_fs_write(none, "/a", buf, 1, 0, &fi));
	SHOW(fuse_fs_write_buf(none, "/a", &one, 0, &fi));
	SHOW(fuse_fs_fsync(none, "/a", 0, &fi));
	SHOW(fuse_fs_flush(none, "/a", &fi));
	SHOW(fuse_fs_statfs(none, "/", &vfs));
	printf("    %lu %lu %lu\n", vfs.f_namemax, vfs.f_bsize, (unsigned long)vfs.f_blocks);
	SHOW(fuse_fs_opendir(none, "/", &fi));
	SHOW(fuse_fs_readdir(none, "/", NULL, NULL, 0, &fi, 0));
	SHOW(fuse_fs_fsyncdir(none, "/", 0, &fi));
	SHOW(fuse_fs_releasedir(none, "/", &fi));
	SHOW(fuse_fs_create(none, "/a", 0644, &fi));
	SHOW(fuse_fs_lock(none, "/a", &fi, F_GETLK, &lock));
	SHOW(fuse_fs_flock(none, "/a", &fi, 1));
	SHOW(fuse_fs_chmod(none, "/a", 0, NULL));
	SHOW(fuse_fs_chown(none, "/a", 0, 0, NULL));
	SHOW(fuse_fs_truncate(none, "/a", 0, NULL));
	SHOW(fuse_fs_utimens(none, "/a", tv, NULL));
	SHOW(fuse_fs_access(none, "/a", 0));
	SHOW(fuse_fs_readlink(none, "/a", buf, sizeof(buf)));
	SHOW(fuse_fs_mknod(none, "/a", 0, 0));
	SHOW(fuse_fs_mkdir(none, "/a", 0));
	SHOW(fuse_fs_setxattr(none, "/a", "n", "v", 1, 0));
	SHOW(fuse_fs_getxattr(none, "/a", "n", buf, 8));
	SHOW(fuse_fs_listxattr(none, "/a", buf, 8));
	SHOW(fuse_fs_removexattr(none, "/a", "n"));
	SHOW(fuse_fs_bmap(none, "/a", 512, &idx));
	SHOW(fuse_fs_ioctl(none, "/a", 1, NULL, &fi, 0, NULL));
	SHOW(fuse_fs_poll(none, "/a", &fi, NULL, &events));
	SHOW(fuse_fs_fallocate(none, "/a", 0, 0, 1, &fi));
	SHOW(fuse_fs_copy_file_range(none, "/a", &fi, 0, "/b", &fi, 0, 1, 0));
	SHOW(fuse_fs_lseek(none, "/a", 0, SEEK_DATA, &fi));
}

static void there(struct fuse_fs *fs)
{
	struct fuse_file_info fi = { 0 };
	struct fuse_bufvec *v = NULL;
	struct stat st = { 0 };
	char buf[16] = "";
	int p[2];

	SHOW(fuse_fs_getattr(fs, "/four", &st, NULL));
	printf("    size %ld nlink %d\n", (long)st.st_size, (int)st.st_nlink);
	SHOW(fuse_fs_getattr(fs, NULL, &st, &fi));
	printf("    size %ld nlink %d\n", (long)st.st_size, (int)st.st_nlink);
	SHOW(fuse_fs_open(fs, "/four", &fi));
	printf("    fh %d keep_cache %d\n", (int)fi.fh, fi.keep_cache);
	SHOW(fuse_fs_read(fs, "/f", buf, 8, 2, &fi));
	printf("    %s\n", buf);
	SHOW(fuse_fs_read(fs, "/f", buf, 8, -1, &fi));
	SHOW(fuse_fs_read_buf(fs, "/f", &v, 8, 3, &fi));
	printf("    %zu buffers of %zu: %.8s\n", v->count, fuse_buf_size(v), (char *)v->buf[0].mem);
	for (size_t i = 0; i < v->count; i++)
		free(v->buf[i].mem);
	free(v);
	SHOW(fuse_fs_read_buf(fs, "/f", &v, 8, 4, &fi));
	printf("    %zu buffers of %zu: %.8s\n", v->count, fuse_buf_size(v), (char *)v->buf[0].mem);
	for (size_t i = 0; i < v->count; i++)
		free(v->buf[i].mem);
	free(v);
	memset(buf, '-', 8);
	SHOW(fuse_fs_read(fs, "/f", buf, 8, 4, &fi));
	printf("    %s\n", buf);
	SHOW(fuse_fs_write(fs, "/f", "some data", 9, 5, &fi));

	struct {
		struct fuse_bufvec v;
		struct fuse_buf more;
	} two = { .v = FUSE_BUFVEC_INIT(4) };
	if (pipe(p) != 0 || write(p[1], "piped", 5) != 5)
		exit(9);
	two.v.count = 2;
	two.v.buf[0].mem = "mem ";
	two.more = (struct fuse_buf){ .size = 5, .flags = FUSE_BUF_IS_FD, .fd = p[0] };
	SHOW(fuse_fs_write_buf(fs, "/f", &two.v, 7, &fi));
	close(p[0]);
	close(p[1]);
}

static struct fuse *make(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse *f = fuse_new(&args, &some, sizeof(some), "user data");

	printf("fuse_new: %s, %d left\n", f ? "made" : "NULL", args.argc);
	fuse_opt_free_args(&args);
	return f;
}

static void whole(void)
{
	char *plain[] = { "fs_api", NULL };
	char *module[] = { "fs_api", "-omodules=ferrotest,hide=/x,attr_timeout=1", NULL };
	char *help[] = { "fs_api", "-omodules=ferrotest", NULL };
	char *bad[] = { "fs_api", "-omodules=ferrotest,nonsense", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, help);
	struct fuse *f = make(1, plain);

	SHOW(fuse_get_session(f) != NULL);
	SHOW(fuse_session_exited(fuse_get_session(f)));
	fuse_exit(f);
	SHOW(fuse_session_exited(fuse_get_session(f)) != 0);
	SHOW(fuse_invalidate_path(f, "/nothing"));
	SHOW(fuse_start_cleanup_thread(f));
	fuse_stop_cleanup_thread(f);
	SHOW(fuse_mount(f, "/nonexistent/mountpoint"));
	fuse_unmount(f);
	fuse_destroy(f);
	f = make(2, module);
	fuse_destroy(f);
	make(2, bad);
	fuse_lib_help(&args);
	fuse_opt_free_args(&args);
	SHOW(fuse_loop(NULL));
	SHOW(fuse_loop_mt(NULL, NULL));
}

/* Set once operations may be called: the system's library does so within requests only. */
static int (*in_request)(void);

static void *calling_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	(void)cfg;
	if (in_request)
		in_request();
	return "of the session";
}

static void calling_destroy(void *data)
{
	printf("destroy of %s, context %s\n", (char *)data,
	       fuse_get_context() && fuse_get_context()->private_data == data ? "right" : "WRONG");
}

static const struct fuse_operations calling = {
	.init = calling_init,
	.destroy = calling_destroy,
};

/* The kernel: one INIT of minor 31, then the end of the connection. */
static ssize_t kernel_read(int fd, void *buf, size_t size, void *data)
{
	static int asked;
	uint32_t init[14] = { sizeof(init), 26, 2, [10] = 7, [11] = 31, [12] = 4096 };

	(void)fd;
	(void)data;
	if (asked++ || size < sizeof(init)) {
		errno = ENODEV;
		return -1;
	}
	memcpy(buf, init, sizeof(init));
	return sizeof(init);
}

static ssize_t kernel_writev(int fd, struct iovec *iov, int count, void *data)
{
	ssize_t sum = 0;

	(void)fd;
	(void)data;
	for (int i = 0; i < count; i++)
		sum += (ssize_t)iov[i].iov_len;
	return sum;
}

static int operations(void)
{
	struct fuse_fs *none, *fs, *longer;
	struct fuse_operations more[2] = { { 0 }, { 0 } };
	struct fuse_context *ctx = fuse_get_context();

	printf("context: %s, %u %u %d, data %s\n", ctx->fuse ? "a file system" : "NULL", ctx->uid,
	       ctx->gid, ctx->pid, (char *)ctx->private_data);
	none = fuse_fs_new(NULL, 0, NULL);
	fs = fuse_fs_new(&some, sizeof(some), "first");
	/* A table that is longer than the library knows. */
	memcpy(more, &bufs, sizeof(bufs));
	longer = fuse_fs_new(more, sizeof(more), NULL);
	printf("missing operations\n");
	missing(none);
	printf("read and write\n");
	there(fs);
	SHOW(fuse_fs_write(longer, "/f", "data", 4, 0, NULL));
	fuse_fs_destroy(fs);
	fuse_fs_destroy(none);
	return 0;
}

static void session(void)
{
	char *argv[] = { "fs_api", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_custom_io io = { .writev = kernel_writev, .read = kernel_read };
	struct fuse *f = fuse_new(&args, &calling, sizeof(calling), "of main");

	in_request = operations;
	SHOW(fuse_session_custom_io(fuse_get_session(f), &io, open("/dev/null", O_RDWR)));
	SHOW(fuse_loop(f));
	SHOW(fuse_get_context() != NULL);
	fuse_destroy(f);
	fuse_opt_free_args(&args);
}

int main(int argc, char *argv[])
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* The module lies beside the program, where the loader only looks when told so at the start. */
	if (argc > 1 && !getenv("FS_API_AGAIN")) {
		const char *old = getenv("LD_LIBRARY_PATH");
		char path[8192];

		snprintf(path, sizeof(path), "%s%s%s", old ? old : "", old ? ":" : "", argv[1]);
		setenv("LD_LIBRARY_PATH", path, 1);
		setenv("FS_API_AGAIN", "1", 1);
		execv("/proc/self/exe", argv);
		return 8;
	}
	SHOW(fuse_get_context() == NULL);
	SHOW(fuse_interrupted());
	whole();
	session();
	return 0;
}
