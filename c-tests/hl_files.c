/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The path-based passthrough filesystem: open files and directories. */
#include "hl.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <poll.h>

/* With the page cache writing back, the kernel reads files opened for writing, and appends itself. */
static int open_flags(int flags)
{
	/* Buffers need not be aligned. */
	flags &= ~O_DIRECT;
	if (!hl.writeback)
		return flags;
	if ((flags & O_ACCMODE) == O_WRONLY)
		flags = (flags & ~O_ACCMODE) | O_RDWR;
	return flags & ~O_APPEND;
}

static int hl_open(const char *path, struct fuse_file_info *fi)
{
	int fd = open(hl_real(path), open_flags(fi->flags));

	fi->fh = (uint64_t)fd;
	return (int)hl_trace(fd < 0 ? -errno : 0, "open %s %x", path, fi->flags & ~O_LARGEFILE);
}

static int hl_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	struct fuse_context *ctx = fuse_get_context();
	int fd = open(hl_real(path), open_flags(fi->flags) | O_CREAT, mode);

	fi->fh = (uint64_t)fd;
	if (fd >= 0 && (ctx->uid || ctx->gid) && fchown(fd, ctx->uid, ctx->gid) != 0)
		fprintf(stderr, "chown %s: %m\n", path);
	return (int)hl_trace(fd < 0 ? -errno : 0, "create %s %o %x", path, mode,
			     fi->flags & ~O_LARGEFILE);
}

static int hl_read(const char *path, char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	int res = hl_result(pread((int)fi->fh, buf, size, off));

	return (int)hl_trace(res, "read %s %zu %lld", hl_path(path), size, (long long)off);
}

static int hl_read_buf(const char *path, struct fuse_bufvec **bufp, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct fuse_bufvec *src = malloc(sizeof(*src));

	if (!src)
		return -ENOMEM;
	*src = FUSE_BUFVEC_INIT(size);
	src->buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	src->buf[0].fd = (int)fi->fh;
	src->buf[0].pos = off;
	*bufp = src;
	return (int)hl_trace(0, "read_buf %s %zu %lld", hl_path(path), size, (long long)off);
}

static int hl_write(const char *path, const char *buf, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	int res = hl_result(pwrite((int)fi->fh, buf, size, off));

	return (int)hl_trace(res, "write %s %zu %lld", hl_path(path), size, (long long)off);
}

static int hl_write_buf(const char *path, struct fuse_bufvec *buf, off_t off,
			struct fuse_file_info *fi)
{
	size_t size = fuse_buf_size(buf);
	struct fuse_bufvec dst = FUSE_BUFVEC_INIT(size);
	ssize_t res;

	dst.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	dst.buf[0].fd = (int)fi->fh;
	dst.buf[0].pos = off;
	res = fuse_buf_copy(&dst, buf, FUSE_BUF_SPLICE_NONBLOCK);
	return (int)hl_trace(res, "write_buf %s %zu %lld", hl_path(path), size, (long long)off);
}

static int hl_flush(const char *path, struct fuse_file_info *fi)
{
	int res = hl_result(close(dup((int)fi->fh)));

	return (int)hl_trace(res, "flush %s", hl_path(path));
}

static int hl_release(const char *path, struct fuse_file_info *fi)
{
	close((int)fi->fh);
	return (int)hl_trace(0, "release %s %x%s%s", hl_path(path), fi->flags & ~O_LARGEFILE,
			     fi->flush ? " flush" : "", fi->flock_release ? " flock" : "");
}

static int hl_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
	int res = hl_result(datasync ? fdatasync((int)fi->fh) : fsync((int)fi->fh));

	return (int)hl_trace(res, "fsync %s %d", hl_path(path), datasync);
}

static DIR *dir_of(struct fuse_file_info *fi)
{
	return (DIR *)(uintptr_t)fi->fh;
}

static int hl_opendir(const char *path, struct fuse_file_info *fi)
{
	DIR *dir = opendir(hl_real(path));

	fi->fh = (uintptr_t)dir;
	return (int)hl_trace(dir ? 0 : -errno, "opendir %s", path);
}

/* The order of a directory is not known, so it is not traced. */
static int hl_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t off,
		      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	DIR *dir = dir_of(fi);
	struct dirent *e;
	int plus = hl.dirplus && (flags & FUSE_READDIR_PLUS);

	if (hl.offsets && off)
		seekdir(dir, off);
	else
		rewinddir(dir);
	while ((e = readdir(dir))) {
		struct stat st = { .st_ino = e->d_ino, .st_mode = (mode_t)e->d_type << 12 };

		if (plus && fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (fill(buf, e->d_name, &st, hl.offsets ? telldir(dir) : 0,
			 plus ? FUSE_FILL_DIR_PLUS : 0))
			break;
	}
	/* How often it is called with offsets depends on the size of the buffer. */
	return (int)hl_trace(0, "readdir %s %s", hl_path(path), off ? "on" : "from the start");
}

static int hl_releasedir(const char *path, struct fuse_file_info *fi)
{
	closedir(dir_of(fi));
	return (int)hl_trace(0, "releasedir %s", hl_path(path));
}

static int hl_fsyncdir(const char *path, int datasync, struct fuse_file_info *fi)
{
	int fd = dirfd(dir_of(fi));
	int res = hl_result(datasync ? fdatasync(fd) : fsync(fd));

	return (int)hl_trace(res, "fsyncdir %s %d", hl_path(path), datasync);
}

/* By open file description: enough to see that the library calls it rightly. */
static int hl_lock(const char *path, struct fuse_file_info *fi, int cmd, struct flock *lock)
{
	int ofd = cmd == F_GETLK ? F_OFD_GETLK : cmd == F_SETLK ? F_OFD_SETLK : F_OFD_SETLKW;
	short type = lock->l_type;
	pid_t pid = lock->l_pid;
	int res;

	lock->l_pid = 0;
	res = hl_result(fcntl((int)fi->fh, ofd, lock));
	if (cmd != F_GETLK)
		lock->l_pid = pid;
	return (int)hl_trace(res, "lock %s %s type %d whence %d %lld+%lld pid %s owner %s",
			     hl_path(path),
			     cmd == F_GETLK ? "get" : cmd == F_SETLK ? "set" : "wait", type,
			     lock->l_whence, (long long)lock->l_start, (long long)lock->l_len,
			     pid ? "given" : "none", fi->lock_owner ? "given" : "none");
}

static int hl_flock(const char *path, struct fuse_file_info *fi, int op)
{
	return (int)hl_trace(hl_result(flock((int)fi->fh, op)), "flock %s %d owner %s",
			     hl_path(path), op, fi->lock_owner ? "given" : "none");
}

static int hl_fallocate(const char *path, int mode, off_t offset, off_t length,
			struct fuse_file_info *fi)
{
	int res = hl_result(fallocate((int)fi->fh, mode, offset, length));

	return (int)hl_trace(res, "fallocate %s %d %lld %lld", hl_path(path), mode,
			     (long long)offset, (long long)length);
}

static ssize_t hl_copy_file_range(const char *path_in, struct fuse_file_info *fi_in, off_t off_in,
				  const char *path_out, struct fuse_file_info *fi_out,
				  off_t off_out, size_t size, int flags)
{
	ssize_t res = copy_file_range((int)fi_in->fh, &off_in, (int)fi_out->fh, &off_out, size,
				      (unsigned int)flags);

	return hl_trace(hl_result(res), "copy_file_range %s %s %zu %d", hl_path(path_in),
			hl_path(path_out), size, flags);
}

static off_t hl_lseek(const char *path, off_t off, int whence, struct fuse_file_info *fi)
{
	off_t res = lseek((int)fi->fh, off, whence);

	return hl_trace(res == -1 ? -errno : res, "lseek %s %lld %d", hl_path(path),
			(long long)off, whence);
}

/* Commands of the type 'F': 1 gives a number, 2 doubles the one given, 3 takes one. */
static int hl_ioctl(const char *path, unsigned int cmd, void *arg, struct fuse_file_info *fi,
		    unsigned int flags, void *data)
{
	int *number = data;
	int res = 0;

	(void)arg;
	(void)fi;
	if (cmd == (unsigned int)_IOR('F', 1, int))
		*number = 4711;
	else if (cmd == (unsigned int)_IOWR('F', 2, int))
		*number *= 2;
	else if (cmd == (unsigned int)_IOW('F', 3, int))
		res = *number;
	else
		res = -ENOTTY;
	return (int)hl_trace(res, "ioctl %s %x flags %x data %s", hl_path(path), cmd, flags,
			     data ? "given" : "none");
}

static int hl_poll(const char *path, struct fuse_file_info *fi, struct fuse_pollhandle *ph,
		   unsigned *revents)
{
	*revents = fi->poll_events & (POLLIN | POLLOUT);
	hl_trace(0, "poll %s %x %s", hl_path(path), fi->poll_events & 0xff,
		 ph ? "with a handle" : "at once");
	if (ph) {
		fuse_notify_poll(ph);
		fuse_pollhandle_destroy(ph);
	}
	return 0;
}

void hl_ops_files(struct fuse_operations *ops)
{
	ops->open = hl_open;
	ops->create = hl.no_create ? NULL : hl_create;
	if (hl.plain) {
		ops->read = hl_read;
		ops->write = hl_write;
	} else {
		ops->read_buf = hl_read_buf;
		ops->write_buf = hl_write_buf;
	}
	ops->flush = hl_flush;
	ops->release = hl_release;
	ops->fsync = hl_fsync;
	ops->opendir = hl_opendir;
	ops->readdir = hl_readdir;
	ops->releasedir = hl_releasedir;
	ops->fsyncdir = hl_fsyncdir;
	if (hl.lock)
		ops->lock = hl_lock;
	ops->flock = hl_flock;
	ops->fallocate = hl_fallocate;
	ops->copy_file_range = hl_copy_file_range;
	ops->lseek = hl_lseek;
	ops->ioctl = hl_ioctl;
	ops->poll = hl_poll;
}
