/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * One file, served from a plug-in: compiled for libfuse 2 and for libfuse 3, see both.c.
 */
#include <errno.h>
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if FUSE_USE_VERSION >= 30
#define TEXT "three\n"
static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
#else
#define TEXT "two\n"
static int fs_getattr(const char *path, struct stat *st)
#endif
{
#if FUSE_USE_VERSION >= 30
    (void)fi;
#endif
    memset(st, 0, sizeof(*st));
    st->st_nlink = 1;
    st->st_mode = strcmp(path, "/") == 0 ? S_IFDIR | 0755 : S_IFREG | 0444;
    st->st_size = sizeof(TEXT) - 1;
    return strcmp(path, "/") == 0 || strcmp(path, "/file") == 0 ? 0 : -ENOENT;
}

static int fs_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *fi)
{
    (void)path, (void)fi;
    if (offset >= (off_t)sizeof(TEXT) - 1)
        return 0;
    if (size > sizeof(TEXT) - 1 - (size_t)offset)
        size = sizeof(TEXT) - 1 - (size_t)offset;
    memcpy(buffer, TEXT + offset, size);
    return (int)size;
}

static const struct fuse_operations operations = { .getattr = fs_getattr, .read = fs_read };

int plugin_version(void);
int plugin_version(void)
{
    return fuse_version();
}

/* Serves until unmounted. */
int plugin_serve(char *mountpoint);
int plugin_serve(char *mountpoint)
{
    char *argv[] = { "plugin", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    struct fuse *fuse;
    int r = -1;

#if FUSE_USE_VERSION >= 30
    fuse = fuse_new(&args, &operations, sizeof(operations), NULL);
    if (fuse != NULL && fuse_mount(fuse, mountpoint) == 0) {
        r = fuse_loop(fuse);
        fuse_unmount(fuse);
    }
#else
    struct fuse_chan *ch = fuse_mount(mountpoint, &args);

    fuse = ch != NULL ? fuse_new(ch, &args, &operations, sizeof(operations), NULL) : NULL;
    if (fuse != NULL) {
        r = fuse_loop(fuse);
        fuse_unmount(mountpoint, ch);
    }
#endif
    if (fuse != NULL)
        fuse_destroy(fuse);
    fuse_opt_free_args(&args);
    return r;
}
