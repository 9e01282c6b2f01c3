/* A filesystem for the tests of the tools: /fast has a megabyte; who reads /slow waits until the file that
 * the variable GATE names is there; who reads /broken gets EIO. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (1 << 20)

static const char *const names[] = {"fast", "slow", "broken"};

static int known(const char *path)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (path[0] == '/' && strcmp(path + 1, names[i]) == 0)
            return 1;
    return 0;
}

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
    memset(st, 0, sizeof(*st));
    if (strcmp(path, "/") == 0) {
        st->st_mode = S_IFDIR | 0755;
        st->st_nlink = 2;
        return 0;
    }
    if (!known(path))
        return -ENOENT;
    st->st_mode = S_IFREG | 0444;
    st->st_nlink = 1;
    st->st_size = SIZE;
    return 0;
}

static int fs_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    (void)path, (void)offset, (void)fi, (void)flags;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        fill(buf, names[i], NULL, 0, 0);
    return 0;
}

static int fs_open(const char *path, struct fuse_file_info *fi)
{
    fi->direct_io = 1;
    return known(path) ? 0 : -ENOENT;
}

static int fs_read(const char *path, char *buf, size_t size, off_t offset, struct fuse_file_info *fi)
{
    (void)fi;
    if (strcmp(path, "/broken") == 0)
        return -EIO;
    if (strcmp(path, "/slow") == 0)
        while (access(getenv("GATE"), F_OK) != 0 && !fuse_interrupted())
            usleep(10000);
    if (offset >= SIZE)
        return 0;
    if ((off_t)size > SIZE - offset)
        size = SIZE - offset;
    memset(buf, 'x', size);
    return size;
}

static const struct fuse_operations ops = {
    .getattr = fs_getattr,
    .readdir = fs_readdir,
    .open = fs_open,
    .read = fs_read,
};

int main(int argc, char *argv[])
{
    return fuse_main(argc, argv, &ops, NULL);
}
