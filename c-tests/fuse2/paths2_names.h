/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Part of paths2.c: names and attributes, in every version. */

static int fs_getattr(const char *path, struct stat *st)
{
    int r = result(lstat(source(path), st));

    trace("getattr %s", shown(path));
    return r;
}

static int fs_readlink(const char *path, char *buffer, size_t size)
{
    long n = readlink(source(path), buffer, size - 1);

    trace("readlink %s %zu", shown(path), size);
    if (n == -1)
        return -errno;
    buffer[n] = '\0';
    return 0;
}

static int fs_mknod(const char *path, mode_t mode, dev_t device)
{
    trace("mknod %s %o %lx", shown(path), mode, (unsigned long)device);
    return result(mknod(source(path), mode, device));
}

static int fs_mkdir(const char *path, mode_t mode)
{
    trace("mkdir %s %o", shown(path), mode & 07777);
    return result(mkdir(source(path), mode));
}

static int fs_unlink(const char *path)
{
    trace("unlink %s", shown(path));
    return result(unlink(source(path)));
}

static int fs_rmdir(const char *path)
{
    trace("rmdir %s", shown(path));
    return result(rmdir(source(path)));
}

static int fs_symlink(const char *target, const char *path)
{
    trace("symlink %s %s", target, shown(path));
    return result(symlink(target, source(path)));
}

static int fs_rename(const char *from, const char *to)
{
    trace("rename %s %s", shown(from), shown(to));
    return result(rename(source(from), source(to)));
}

static int fs_link(const char *from, const char *to)
{
    trace("link %s %s", shown(from), shown(to));
    return result(link(source(from), source(to)));
}

static int fs_chmod(const char *path, mode_t mode)
{
    trace("chmod %s %o", shown(path), mode);
    return result(chmod(source(path), mode));
}

static int fs_chown(const char *path, uid_t uid, gid_t gid)
{
    trace("chown %s %d %d", shown(path), (int)uid, (int)gid);
    return result(lchown(source(path), uid, gid));
}

static int fs_truncate(const char *path, off_t size)
{
    trace("truncate %s %ld", shown(path), (long)size);
    return result(truncate(source(path), size));
}

static int fs_utime(const char *path, struct utimbuf *times)
{
    if (labs((long)(times->modtime - time(NULL))) < 600)
        trace("utime %s now %d", shown(path), times->actime == times->modtime);
    else
        trace("utime %s %ld %ld", shown(path), (long)times->actime, (long)times->modtime);
    return result(utime(source(path), times));
}

static int fs_setxattr(const char *path, const char *name, const char *value, size_t size, int flags)
{
    trace("setxattr %s %s %zu %d", shown(path), name, size, flags);
    return result(lsetxattr(source(path), name, value, size, flags));
}

static int fs_getxattr(const char *path, const char *name, char *value, size_t size)
{
    if (strncmp(name, "user.", 5) == 0)
        trace("getxattr %s %s %d", shown(path), name, size != 0);
    return result(lgetxattr(source(path), name, value, size));
}

static int fs_listxattr(const char *path, char *list, size_t size)
{
    trace("listxattr %s %d", shown(path), size != 0);
    return result(llistxattr(source(path), list, size));
}

static int fs_removexattr(const char *path, const char *name)
{
    trace("removexattr %s %s", shown(path), name);
    return result(lremovexattr(source(path), name));
}
