/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Part of paths2.c: files, from version 2.2 on. */

static int fs_getdir(const char *path, fuse_dirh_t handle, fuse_dirfil_t fill)
{
    DIR *dir = opendir(source(path));
    struct dirent *entry;
    int r = 0;

    trace("getdir %s", shown(path));
    if (dir == NULL)
        return -errno;
    while (r == 0 && (entry = readdir(dir)) != NULL)
        r = fill(handle, entry->d_name, entry->d_type, entry->d_ino);
    closedir(dir);
    return r;
}

static int fs_open(const char *path, struct fuse_file_info *fi)
{
    int fd = open(source(path), fi->flags);

    trace("open %s %o", shown(path), fi->flags & (O_ACCMODE | O_TRUNC | O_APPEND));
    if (fd == -1)
        return -errno;
    fi->fh = fd;
    if (strstr(path, "direct") != NULL)
        fi->direct_io = 1;
    if (strstr(path, "keep") != NULL)
        fi->keep_cache = 1;
    return 0;
}

static int fs_read(const char *path, char *buffer, size_t size, off_t offset,
                   struct fuse_file_info *fi)
{
    trace("read %s", shown(path));
    return result(pread((int)fi->fh, buffer, size, offset));
}

static int fs_write(const char *path, const char *buffer, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    trace("write %s %ld %d", shown(path), (long)offset, fi->writepage != 0);
    return result(pwrite((int)fi->fh, buffer, size, offset));
}

static int fs_flush(const char *path, struct fuse_file_info *fi)
{
    (void)fi;
    trace("flush %s", shown(path));
    return 0;
}

static int fs_release(const char *path, struct fuse_file_info *fi)
{
    trace("release %s %o", shown(path), fi->flags & O_ACCMODE);
    close((int)fi->fh);
    return 0;
}

static int fs_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
    trace("fsync %s %d", shown(path), datasync);
    return result(datasync ? fdatasync((int)fi->fh) : fsync((int)fi->fh));
}

#if API == 22
static int fs_statfs(const char *path, struct statfs *st)
#else
static int fs_statfs(const char *path, struct statvfs *st)
#endif
{
    trace("statfs %s", shown(path));
    st->f_bsize = 4096;
    st->f_blocks = 1000;
    st->f_bfree = 600;
    st->f_bavail = 550;
    st->f_files = 500;
    st->f_ffree = 400;
#if API == 22
    st->f_namelen = 200;
#else
    st->f_frsize = 1024;
    st->f_namemax = 200;
#endif
    return 0;
}
