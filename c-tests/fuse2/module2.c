/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A module for libfuse 2: the file system below, with every name in upper case.
 */
#include <ctype.h>
#include <fuse.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upper {
    struct fuse_fs *below;
    int shout;
};

static struct upper *self(void)
{
    return fuse_get_context()->private_data;
}

static const char *lowered(const char *path, char *buffer)
{
    size_t i;

    for (i = 0; path[i] != '\0' && i < 255; i++)
        buffer[i] = (char)tolower((unsigned char)path[i]);
    buffer[i] = '\0';
    return buffer;
}

static int upper_getattr(const char *path, struct stat *st)
{
    char buffer[256];

    return fuse_fs_getattr(self()->below, lowered(path, buffer), st);
}

static int upper_open(const char *path, struct fuse_file_info *fi)
{
    char buffer[256];

    return fuse_fs_open(self()->below, lowered(path, buffer), fi);
}

static int upper_read(const char *path, char *data, size_t size, off_t offset, struct fuse_file_info *fi)
{
    /* Once the file system below was called, the context is that one's. */
    struct upper *u = self();
    char buffer[256];
    int n = fuse_fs_read(u->below, lowered(path, buffer), data, size, offset, fi), i;

    for (i = 0; u->shout && i < n; i++)
        data[i] = (char)toupper((unsigned char)data[i]);
    return n;
}

static int upper_release(const char *path, struct fuse_file_info *fi)
{
    char buffer[256];

    return fuse_fs_release(self()->below, lowered(path, buffer), fi);
}

struct filling {
    void *buffer;
    fuse_fill_dir_t fill;
};

static int fill_upper(void *data, const char *name, const struct stat *st, off_t offset)
{
    struct filling *f = data;
    char buffer[256];
    size_t i;

    (void)offset;
    for (i = 0; name[i] != '\0' && i < 255; i++)
        buffer[i] = (char)toupper((unsigned char)name[i]);
    buffer[i] = '\0';
    return f->fill(f->buffer, buffer, st, 0);
}

static int upper_opendir(const char *path, struct fuse_file_info *fi)
{
    char buffer[256];

    return fuse_fs_opendir(self()->below, lowered(path, buffer), fi);
}

static int upper_readdir(const char *path, void *data, fuse_fill_dir_t fill, off_t offset,
                         struct fuse_file_info *fi)
{
    struct filling f = { data, fill };
    char buffer[256];

    (void)offset;
    return fuse_fs_readdir(self()->below, lowered(path, buffer), &f, fill_upper, 0, fi);
}

static int upper_releasedir(const char *path, struct fuse_file_info *fi)
{
    char buffer[256];

    return fuse_fs_releasedir(self()->below, lowered(path, buffer), fi);
}

static void *upper_init(struct fuse_conn_info *conn)
{
    struct upper *u = self();

    fuse_fs_init(u->below, conn);
    return u;
}

static void upper_destroy(void *data)
{
    struct upper *u = data;

    fuse_fs_destroy(u->below);
    fprintf(stderr, "module destroyed\n");
    free(u);
}

static const struct fuse_operations upper_operations = {
    .getattr = upper_getattr, .open = upper_open, .read = upper_read, .release = upper_release,
    .opendir = upper_opendir, .readdir = upper_readdir, .releasedir = upper_releasedir,
    .init = upper_init, .destroy = upper_destroy,
};

static const struct fuse_opt options[] = {
    { "shout", offsetof(struct upper, shout), 1 },
    FUSE_OPT_END
};

static struct fuse_fs *upper_new(struct fuse_args *args, struct fuse_fs *next[])
{
    struct upper *u = calloc(1, sizeof(*u));
    struct fuse_fs *fs = NULL;

    if (u != NULL && fuse_opt_parse(args, u, options, NULL) == 0 && next[0] != NULL && next[1] == NULL) {
        u->below = next[0];
        fs = fuse_fs_new(&upper_operations, sizeof(upper_operations), u);
    }
    if (fs == NULL)
        free(u);
    return fs;
}

FUSE_REGISTER_MODULE(ferrotest2, upper_new)
