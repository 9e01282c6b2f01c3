/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Part of paths2.c: directories with handles and what else came with version 2.5. */

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
