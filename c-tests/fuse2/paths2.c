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

#include "paths2_names.h"
#if API < 22
#include "paths2_old.h"
#else
#include "paths2_files.h"
#endif
#if API >= 25
#include "paths2_handles.h"
#endif
#include "paths2_later.h"

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
