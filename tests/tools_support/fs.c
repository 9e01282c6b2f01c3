/* A filesystem for the tests of the tools: /fast has a megabyte; who reads /slow waits until the file that
 * the variable GATE names is there; who reads /broken gets EIO. With OWN_LOOP=N, N threads read requests by
 * themselves, from the mount point that is the last argument. */
#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 31
#endif
#include <errno.h>
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
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

#if FUSE_USE_VERSION < 30
static int fs_getattr(const char *path, struct stat *st)
{
#else
static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
#endif
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
    .open = fs_open,
    .read = fs_read,
};

#if FUSE_USE_VERSION < 30
static void *serve(void *data)
{
    struct fuse_session *se = data;
    struct fuse_chan *ch = fuse_session_next_chan(se, NULL), *from = ch;
    size_t size = fuse_chan_bufsize(ch);
    char *buf = malloc(size);
    int got;

    while (!fuse_session_exited(se) && (got = fuse_chan_recv(&from, buf, size)) != 0)
        if (got > 0)
            fuse_session_process(se, buf, got, from);
        else if (got != -EINTR)
            break;
    free(buf);
    return NULL;
}

static struct fuse_session *begin(struct fuse_args *args, const char *mountpoint, struct fuse **fuse)
{
    struct fuse_chan *ch = fuse_mount(mountpoint, args);

    *fuse = ch ? fuse_new(ch, args, &ops, sizeof(ops), NULL) : NULL;
    return *fuse ? fuse_get_session(*fuse) : NULL;
}
#else
static void *serve(void *data)
{
    struct fuse_session *se = data;
    struct fuse_buf buf = {.mem = NULL};
    int got;

    while (!fuse_session_exited(se) && (got = fuse_session_receive_buf(se, &buf)) != 0)
        if (got > 0)
            fuse_session_process_buf(se, &buf);
        else if (got != -EINTR)
            break;
    free(buf.mem);
    return NULL;
}

static struct fuse_session *begin(struct fuse_args *args, const char *mountpoint, struct fuse **fuse)
{
    *fuse = fuse_new(args, &ops, sizeof(ops), NULL);
    return *fuse && fuse_mount(*fuse, mountpoint) == 0 ? fuse_get_session(*fuse) : NULL;
}
#endif

static int own_loop(const char *name, const char *mountpoint, int threads)
{
    struct fuse_args args = FUSE_ARGS_INIT(1, (char *[]){(char *)name});
    struct fuse *fuse;
    struct fuse_session *se = begin(&args, mountpoint, &fuse);
    pthread_t other;

    if (se == NULL)
        return 1;
    for (int i = 1; i < threads; i++)
        if (pthread_create(&other, NULL, serve, se) != 0)
            return 1;
    serve(se);
    if (threads > 1)
        pthread_join(other, NULL);
    fuse_destroy(fuse);
    return 0;
}

int main(int argc, char *argv[])
{
    const char *threads = getenv("OWN_LOOP");

    if (threads != NULL)
        return own_loop(argv[0], argv[argc - 1], atoi(threads));
    return fuse_main(argc, argv, &ops, NULL);
}
