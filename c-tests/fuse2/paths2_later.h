/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Part of paths2.c: what versions 2.6 to 2.9 have added. */

#if API >= 26

static int fs_lock(const char *path, struct fuse_file_info *fi, int cmd, struct flock *lock)
{
    int open_file_command = cmd == F_GETLK ? F_OFD_GETLK : cmd == F_SETLK ? F_OFD_SETLK : F_OFD_SETLKW;

    lock->l_pid = 0;
    trace("lock %s %s %d owner %d", shown(path), cmd == F_GETLK ? "get" : "set", lock->l_type,
          fi->lock_owner != 0);
    return result(fcntl((int)fi->fh, open_file_command, lock));
}

static int fs_utimens(const char *path, const struct timespec tv[2])
{
    static const char *const kinds[] = { "time", "now", "omit" };
    int i, kind[2];

    for (i = 0; i < 2; i++)
        kind[i] = tv[i].tv_nsec == UTIME_NOW ? 1 : tv[i].tv_nsec == UTIME_OMIT ? 2 : 0;
    trace("utimens %s %s %s", shown(path), kinds[kind[0]], kinds[kind[1]]);
    return result(utimensat(AT_FDCWD, source(path), tv, AT_SYMLINK_NOFOLLOW));
}

static int fs_bmap(const char *path, size_t blocksize, uint64_t *index)
{
    trace("bmap %s %zu", shown(path), blocksize);
    *index += 7;
    return 0;
}

#endif

#if API >= 28

#define FS_GET _IOR('E', 1, int)
#define FS_SET _IOW('E', 2, int)

static int fs_ioctl(const char *path, int cmd, void *arg, struct fuse_file_info *fi,
                    unsigned int flags, void *data)
{
    static int number = 5;

    (void)arg, (void)fi;
    trace("ioctl %s %x %x", shown(path), (unsigned)cmd, flags);
    if ((unsigned)cmd == FS_GET)
        *(int *)data = number;
    else if ((unsigned)cmd == FS_SET)
        number = *(int *)data;
    else
        return -ENOTTY;
    return number;
}

static int fs_poll(const char *path, struct fuse_file_info *fi, struct fuse_pollhandle *handle,
                   unsigned *events)
{
    (void)fi;
    trace("poll %s %d", shown(path), handle != NULL);
    if (handle != NULL) {
        trace("poll notify %d", fuse_notify_poll(handle));
        fuse_pollhandle_destroy(handle);
    }
    *events = 1;
    return 0;
}

#endif

#if API >= 29

static int fs_write_buf(const char *path, struct fuse_bufvec *data, off_t offset,
                        struct fuse_file_info *fi)
{
    struct fuse_bufvec to = FUSE_BUFVEC_INIT(fuse_buf_size(data));

    trace("write_buf %s %ld", shown(path), (long)offset);
    to.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    to.buf[0].fd = (int)fi->fh;
    to.buf[0].pos = offset;
    return (int)fuse_buf_copy(&to, data, FUSE_BUF_SPLICE_NONBLOCK);
}

static int fs_read_buf(const char *path, struct fuse_bufvec **data, size_t size, off_t offset,
                       struct fuse_file_info *fi)
{
    trace("read_buf %s", shown(path));
    *data = malloc(sizeof(**data));
    if (*data == NULL)
        return -ENOMEM;
    **data = FUSE_BUFVEC_INIT(size);
    (*data)->buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    (*data)->buf[0].fd = (int)fi->fh;
    (*data)->buf[0].pos = offset;
    /* A count is no error, though 0 is what the API asks for. */
    return offset != 0 ? (int)size : 0;
}

static int fs_flock(const char *path, struct fuse_file_info *fi, int op)
{
    trace("flock %s %d owner %d", shown(path), op, fi->lock_owner != 0);
    return result(flock((int)fi->fh, op));
}

static int fs_fallocate(const char *path, int mode, off_t offset, off_t length,
                        struct fuse_file_info *fi)
{
    trace("fallocate %s %d %ld %ld", shown(path), mode, (long)offset, (long)length);
    return result(fallocate((int)fi->fh, mode, offset, length));
}

#endif
