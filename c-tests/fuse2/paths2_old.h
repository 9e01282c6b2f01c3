/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Part of paths2.c: files and directories before version 2.2, without handles. */

/* Neither file handles nor anything but names in directories. */
static int fs_getdir(const char *path, fuse_dirh_t handle, fuse_dirfil_t fill)
{
    DIR *dir = opendir(source(path));
    struct dirent *entry;
    int r = 0;

    trace("getdir %s", shown(path));
    if (dir == NULL)
        return -errno;
    while (r == 0 && (entry = readdir(dir)) != NULL)
        r = fill(handle, entry->d_name, entry->d_type);
    closedir(dir);
    return r;
}

static int fs_open(const char *path, int flags)
{
    int fd = open(source(path), flags);

    trace("open %s %o", shown(path), flags & (O_ACCMODE | O_TRUNC | O_APPEND));
    if (fd == -1)
        return -errno;
    close(fd);
    return 0;
}

static int fs_read(const char *path, char *buffer, size_t size, off_t offset)
{
    int fd = open(source(path), O_RDONLY), r;

    trace("read %s", shown(path));
    if (fd == -1)
        return -errno;
    r = result(pread(fd, buffer, size, offset));
    close(fd);
    return r;
}

static int fs_write(const char *path, const char *buffer, size_t size, off_t offset)
{
    int fd = open(source(path), O_WRONLY), r;

    trace("write %s %ld", shown(path), (long)offset);
    if (fd == -1)
        return -errno;
    r = result(pwrite(fd, buffer, size, offset));
    close(fd);
    return r;
}

static int fs_release(const char *path, int flags)
{
    trace("release %s %o", shown(path), flags & O_ACCMODE);
    return 0;
}

static int fs_fsync(const char *path, int datasync)
{
    trace("fsync %s %d", shown(path), datasync);
    return 0;
}

#if API == 11
static int fs_statfs(struct fuse_statfs *st)
{
    trace("statfs");
    st->block_size = 4096;
    st->blocks = 1000;
    st->blocks_free = 600;
    st->files = 500;
    st->files_free = 400;
    st->namelen = 200;
    return 0;
}
#else
static int fs_statfs(const char *path, struct statfs *st)
{
    trace("statfs %s", shown(path));
    st->f_bsize = 4096;
    st->f_blocks = 1000;
    st->f_bfree = 600;
    st->f_bavail = 550;
    st->f_files = 500;
    st->f_ffree = 400;
    st->f_namelen = 200;
    return 0;
}

static int fs_flush(const char *path)
{
    trace("flush %s", shown(path));
    return 0;
}
#endif
