/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Another directory, shown by paths: compiled once for every interface version, with the operations
 * that it has. Each call is traced, see paths2.h.
 */
#include "paths2.h"

#include <dirent.h>
#include <fcntl.h>
#include <fuse.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define API FUSE_USE_VERSION

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

#if API < 22

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

#else /* API >= 22 */

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

#endif

#if API >= 25

static int fs_opendir(const char *path, struct fuse_file_info *fi)
{
    DIR *dir = opendir(source(path));

    trace("opendir %s", shown(path));
    if (dir == NULL)
        return -errno;
    fi->fh = (unsigned long)dir;
    return 0;
}

/* With the offsets of the directory below, so that it is read in several goes. */
static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *fi)
{
    DIR *dir = (DIR *)(unsigned long)fi->fh;
    int offsets = getenv("FT_OFFSETS") != NULL;
    struct dirent *entry;
    struct stat st;

    trace("readdir %s", shown(path));
    if (offset == 0)
        rewinddir(dir);
    else
        seekdir(dir, offset);
    memset(&st, 0, sizeof(st));
    while ((entry = readdir(dir)) != NULL) {
        st.st_ino = entry->d_ino;
        st.st_mode = (mode_t)entry->d_type << 12;
        if (fill(buffer, entry->d_name, &st, offsets ? telldir(dir) : 0) != 0)
            break;
    }
    return 0;
}

static int fs_releasedir(const char *path, struct fuse_file_info *fi)
{
    trace("releasedir %s", shown(path));
    closedir((DIR *)(unsigned long)fi->fh);
    return 0;
}

static int fs_fsyncdir(const char *path, int datasync, struct fuse_file_info *fi)
{
    (void)fi;
    trace("fsyncdir %s %d", shown(path), datasync);
    return 0;
}

static int fs_access(const char *path, int mask)
{
    trace("access %s %d", shown(path), mask);
    return result(access(source(path), mask));
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
    int fd = open(source(path), fi->flags | O_CREAT, mode);

    trace("create %s %o", shown(path), mode);
    if (fd == -1)
        return -errno;
    fi->fh = fd;
    return 0;
}

static int fs_ftruncate(const char *path, off_t size, struct fuse_file_info *fi)
{
    trace("ftruncate %s %ld", shown(path), (long)size);
    return result(ftruncate((int)fi->fh, size));
}

static int fs_fgetattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    trace("fgetattr %s", shown(path));
    return result(fstat((int)fi->fh, st));
}

static void fs_destroy(void *data)
{
    trace("destroy %s", data != NULL ? (char *)data : "-");
}

#if API == 25
static void *fs_init(void)
{
    trace("init");
    return "from init";
}
#else
static void *fs_init(struct fuse_conn_info *conn)
{
    struct fuse_context *context = fuse_get_context();

    trace("init %u %s", conn->proto_major, (char *)context->private_data);
    trace("init fuse_invalidate %d", fuse_invalidate(context->fuse, "/"));
    return "from init";
}
#endif

#endif

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
    return 0;
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

static struct fuse_operations operations = {
    .getattr = fs_getattr, .readlink = fs_readlink, .mknod = fs_mknod, .mkdir = fs_mkdir,
    .unlink = fs_unlink, .rmdir = fs_rmdir, .symlink = fs_symlink, .rename = fs_rename,
    .link = fs_link, .chmod = fs_chmod, .chown = fs_chown, .truncate = fs_truncate,
    .utime = fs_utime, .open = fs_open, .read = fs_read, .write = fs_write, .statfs = fs_statfs,
    .release = fs_release, .fsync = fs_fsync, .getdir = fs_getdir,
#if API > 11
    .flush = fs_flush, .setxattr = fs_setxattr, .getxattr = fs_getxattr,
    .listxattr = fs_listxattr, .removexattr = fs_removexattr,
#endif
#if API >= 25
    .opendir = fs_opendir, .readdir = fs_readdir, .releasedir = fs_releasedir,
    .fsyncdir = fs_fsyncdir, .init = fs_init, .destroy = fs_destroy, .access = fs_access,
    .create = fs_create, .ftruncate = fs_ftruncate, .fgetattr = fs_fgetattr,
#endif
#if API >= 26
    .lock = fs_lock, .utimens = fs_utimens, .bmap = fs_bmap,
#endif
#if API >= 28
    .ioctl = fs_ioctl, .poll = fs_poll,
#endif
#if API >= 29
    .write_buf = fs_write_buf, .read_buf = fs_read_buf, .flock = fs_flock,
    .fallocate = fs_fallocate,
#endif
};

/* What FT_WITHOUT and FT_FLAGS name, with commas between. */
static void choose(void)
{
    const char *without = getenv("FT_WITHOUT"), *flags = getenv("FT_FLAGS");

#define DROP(name) \
    if (without != NULL && strstr(without, "," #name ",") != NULL) \
        operations.name = NULL
    DROP(getdir);
#if API == 11
    (void)fs_setxattr, (void)fs_getxattr, (void)fs_listxattr, (void)fs_removexattr;
#endif
#if API >= 25
    DROP(readdir);
    DROP(create);
    DROP(ftruncate);
    DROP(fgetattr);
#endif
#if API >= 26
    DROP(utimens);
    DROP(lock);
#endif
#if API >= 28
    operations.flag_nullpath_ok = flags != NULL && strstr(flags, "nullpath_ok") != NULL;
#endif
#if API >= 29
    DROP(read_buf);
    DROP(write_buf);
    operations.flag_nopath = flags != NULL && strstr(flags, "nopath") != NULL;
    operations.flag_utime_omit_ok = flags != NULL && strstr(flags, "utime_omit_ok") != NULL;
#endif
    (void)flags;
}

int main(int argc, char *argv[])
{
    start();
    choose();
    umask(0);
#if API >= 26
    return fuse_main(argc, argv, &operations, "user data");
#elif API > 11
    return fuse_main(argc, argv, &operations);
#else
    fuse_main(argc, argv, &operations);
    return 0;
#endif
}
