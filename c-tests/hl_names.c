/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The path-based passthrough filesystem: operations on names. */
#include "hl.h"

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* What is created belongs to who asked for it. */
static void own(const char *real)
{
	struct fuse_context *ctx = fuse_get_context();

	if ((ctx->uid || ctx->gid) && lchown(real, ctx->uid, ctx->gid) != 0)
		fprintf(stderr, "chown %s: %m\n", real);
}

static int hl_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	int res = hl_result(fi ? fstat((int)fi->fh, st) : lstat(hl_real(path), st));

	return (int)hl_trace(res, "getattr %s%s", hl_path(path), fi ? " open" : "");
}

static int hl_readlink(const char *path, char *buf, size_t size)
{
	ssize_t res = readlink(hl_real(path), buf, size - 1);

	if (res >= 0)
		buf[res] = '\0';
	return (int)hl_trace(res < 0 ? -errno : 0, "readlink %s %zu", path, size);
}

static int hl_mknod(const char *path, mode_t mode, dev_t rdev)
{
	int res = hl_result(mknod(hl_real(path), mode, rdev));

	if (!res)
		own(hl_real(path));
	return (int)hl_trace(res, "mknod %s %o %u:%u", path, mode, major(rdev), minor(rdev));
}

static int hl_mkdir(const char *path, mode_t mode)
{
	int res = hl_result(mkdir(hl_real(path), mode));

	if (!res)
		own(hl_real(path));
	return (int)hl_trace(res, "mkdir %s %o", path, mode);
}

static int hl_unlink(const char *path)
{
	return (int)hl_trace(hl_result(unlink(hl_real(path))), "unlink %s", path);
}

static int hl_rmdir(const char *path)
{
	return (int)hl_trace(hl_result(rmdir(hl_real(path))), "rmdir %s", path);
}

static int hl_symlink(const char *target, const char *path)
{
	int res = hl_result(symlink(target, hl_real(path)));

	if (!res)
		own(hl_real(path));
	return (int)hl_trace(res, "symlink %.40s %s", target, path);
}

static int hl_rename(const char *from, const char *to, unsigned int flags)
{
	long res = syscall(SYS_renameat2, AT_FDCWD, hl_real(from), AT_FDCWD, hl_real(to), flags);

	return (int)hl_trace(hl_result(res), "rename %s %s %u", from, to, flags);
}

static int hl_link(const char *from, const char *to)
{
	return (int)hl_trace(hl_result(link(hl_real(from), hl_real(to))), "link %s %s", from, to);
}

static int hl_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	int res = hl_result(fi ? fchmod((int)fi->fh, mode) : chmod(hl_real(path), mode));

	return (int)hl_trace(res, "chmod %s %o%s", hl_path(path), mode, fi ? " open" : "");
}

static int hl_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	int res = hl_result(fi ? fchown((int)fi->fh, uid, gid) : lchown(hl_real(path), uid, gid));

	return (int)hl_trace(res, "chown %s %d %d%s", hl_path(path), (int)uid, (int)gid,
			     fi ? " open" : "");
}

static int hl_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	int res = hl_result(fi ? ftruncate((int)fi->fh, size) : truncate(hl_real(path), size));

	return (int)hl_trace(res, "truncate %s %lld%s", hl_path(path), (long long)size,
			     fi ? " open" : "");
}

static const char *stamp(const struct timespec *t)
{
	return t->tv_nsec == UTIME_NOW ? "now" : t->tv_nsec == UTIME_OMIT ? "omit" : "given";
}

static int hl_utimens(const char *path, const struct timespec tv[2], struct fuse_file_info *fi)
{
	int res = hl_result(fi ? futimens((int)fi->fh, tv) :
		utimensat(AT_FDCWD, hl_real(path), tv, AT_SYMLINK_NOFOLLOW));

	return (int)hl_trace(res, "utimens %s %s %s%s", hl_path(path), stamp(&tv[0]),
			     stamp(&tv[1]), fi ? " open" : "");
}

static int hl_access(const char *path, int mask)
{
	return (int)hl_trace(hl_result(access(hl_real(path), mask)), "access %s %d", path, mask);
}

static int hl_statfs(const char *path, struct statvfs *st)
{
	return (int)hl_trace(hl_result(statvfs(hl_real(path), st)), "statfs %s", path);
}

static int hl_setxattr(const char *path, const char *name, const char *value, size_t size,
		       int flags)
{
	int res = hl_result(lsetxattr(hl_real(path), name, value, size, flags));

	return (int)hl_trace(res, "setxattr %s %.40s %zu %d", path, name, size, flags);
}

static int hl_getxattr(const char *path, const char *name, char *value, size_t size)
{
	int res = hl_result(lgetxattr(hl_real(path), name, value, size));

	return (int)hl_trace(res, "getxattr %s %.40s %zu", path, name, size);
}

static int hl_listxattr(const char *path, char *list, size_t size)
{
	return (int)hl_trace(hl_result(llistxattr(hl_real(path), list, size)), "listxattr %s %zu",
			     path, size);
}

static int hl_removexattr(const char *path, const char *name)
{
	return (int)hl_trace(hl_result(lremovexattr(hl_real(path), name)), "removexattr %s %.40s",
			     path, name);
}

static int hl_bmap(const char *path, size_t blocksize, uint64_t *idx)
{
	*idx += 1000;
	return (int)hl_trace(0, "bmap %s %zu %llu", path, blocksize, (unsigned long long)*idx);
}

void hl_ops_names(struct fuse_operations *ops)
{
	ops->getattr = hl_getattr;
	ops->readlink = hl_readlink;
	ops->mknod = hl_mknod;
	ops->mkdir = hl_mkdir;
	ops->unlink = hl_unlink;
	ops->rmdir = hl_rmdir;
	ops->symlink = hl_symlink;
	ops->rename = hl_rename;
	ops->link = hl_link;
	ops->chmod = hl_chmod;
	ops->chown = hl_chown;
	ops->truncate = hl_truncate;
	ops->utimens = hl_utimens;
	ops->access = hl_access;
	ops->statfs = hl_statfs;
	ops->setxattr = hl_setxattr;
	ops->getxattr = hl_getxattr;
	ops->listxattr = hl_listxattr;
	ops->removexattr = hl_removexattr;
	ops->bmap = hl_bmap;
}
