/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Puts a load on a directory and says how fast it was served.
 *
 * Usage: load KIND DIR [-c CLIENTS] [-n OPERATIONS | -t SECONDS] [-s BYTES]
 *   KIND     stat     by name, of the files DIR/f0 to f63 in turn
 *            fstat    of the open file DIR/data
 *            read     of BYTES at random places of DIR/data, without the page cache
 *            write    likewise
 *            create   of a file, its close and removal: three calls, counted as one
 *            list     of DIR/many: opened, read and closed
 *            walk     of DIR/tree: every name looked up, every file read
 *   CLIENTS  processes that do it at the same time (default 1)
 *   OPERATIONS  of each client; SECONDS altogether (default 1)
 *
 * Prints "operations seconds p50 p99": the operations of all clients, and the latency of one in
 * nanoseconds. A failed call is named, and the exit status is 1.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILES 64
/* Latencies are counted in classes of an eighth of a power of two. */
#define CLASSES (64 * 8)
#define MAX_CLIENTS 64

struct client {
	uint64_t operations;
	uint64_t histogram[CLASSES];
};

static const char *dir;
static long number, operations;
static double seconds = 1;
static size_t size = 4096;
static int data = -1;
static off_t data_size;
static char *buffer;
static uint64_t random_state;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "load: %s in %s: %s\n", what, dir, strerror(errno));
	_exit(1);
}

static off_t somewhere(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (off_t)(random_state % (uint64_t)(data_size / (off_t)size)) * (off_t)size;
}

static void do_stat(long n)
{
	char name[4096];
	struct stat st;

	snprintf(name, sizeof(name), "%s/f%ld", dir, n % FILES);
	if (stat(name, &st) != 0)
		fail("stat");
}

static void do_fstat(long n)
{
	struct stat st;

	(void)n;
	if (fstat(data, &st) != 0)
		fail("fstat");
}

static void do_read(long n)
{
	(void)n;
	if (pread(data, buffer, size, somewhere()) != (ssize_t)size)
		fail("read");
}

static void do_write(long n)
{
	(void)n;
	if (pwrite(data, buffer, size, somewhere()) != (ssize_t)size)
		fail("write");
}

static void do_create(long n)
{
	char name[4096];
	int fd;

	(void)n;
	snprintf(name, sizeof(name), "%s/new%ld", dir, number);
	fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (fd < 0 || close(fd) != 0)
		fail("create");
	if (unlink(name) != 0)
		fail("unlink");
}

static void do_list(long n)
{
	char name[4096];
	DIR *d;
	long count = 0;

	(void)n;
	snprintf(name, sizeof(name), "%s/many", dir);
	d = opendir(name);
	if (!d)
		fail("opendir");
	while (readdir(d))
		count++;
	closedir(d);
	if (count < 3)
		fail("readdir");
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	int fd;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	while (read(fd, buffer, size) > 0)
		;
	return close(fd);
}

static void do_walk(long n)
{
	char name[4096];

	(void)n;
	snprintf(name, sizeof(name), "%s/tree", dir);
	if (nftw(name, visit, 64, FTW_PHYS) != 0)
		fail("walk");
}

static const struct kind {
	const char *name;
	void (*run)(long n);
	int data_flags; /* -1: DIR/data is not needed */
} kinds[] = {
	{ "stat", do_stat, -1 },
	{ "fstat", do_fstat, O_RDONLY },
	{ "read", do_read, O_RDONLY | O_DIRECT },
	{ "write", do_write, O_RDWR | O_DIRECT },
	{ "create", do_create, -1 },
	{ "list", do_list, -1 },
	{ "walk", do_walk, -1 },
};

static int class_of(uint64_t ns)
{
	int power;

	if (ns < 8)
		return (int)ns;
	power = 63 - __builtin_clzll(ns);
	return power * 8 + (int)(ns >> (power - 3) & 7);
}

/* The middle of a class. */
static uint64_t value_of(int class)
{
	int power = class / 8;

	if (class < 24)
		return (uint64_t)class;
	return ((uint64_t)(class % 8 + 8) << (power - 3)) + (1ull << (power - 3)) / 2;
}

static void run_client(const struct kind *kind, struct client *client, uint64_t end)
{
	uint64_t before = now(), after;

	for (long n = 0; operations ? n < operations : before < end; n++) {
		kind->run(n);
		after = now();
		client->operations++;
		client->histogram[class_of(after - before)]++;
		before = after;
	}
}

static void open_data(const struct kind *kind)
{
	char name[4096];

	/* Aligned, as direct I/O wants it. */
	buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		fail("mmap");
	memset(buffer, 'x', size);
	if (kind->data_flags == -1)
		return;
	snprintf(name, sizeof(name), "%s/data", dir);
	data = open(name, kind->data_flags);
	data_size = data < 0 ? -1 : lseek(data, 0, SEEK_END);
	if (data_size < (off_t)size)
		fail("data");
}

static uint64_t percentile(const struct client *clients, long count, uint64_t total, double part)
{
	uint64_t seen = 0;

	for (int class = 0; class < CLASSES; class++) {
		for (long i = 0; i < count; i++)
			seen += clients[i].histogram[class];
		if ((double)seen >= (double)total * part)
			return value_of(class);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct kind *kind = NULL;
	struct client *clients;
	uint64_t start, total = 0;
	long count = 1;
	int option, status, failed = 0;

	while ((option = getopt(argc, argv, "c:n:t:s:")) != -1) {
		switch (option) {
		case 'c': count = atol(optarg); break;
		case 'n': operations = atol(optarg); break;
		case 't': seconds = atof(optarg); break;
		case 's': size = (size_t)atol(optarg); break;
		default: return 2;
		}
	}
	for (size_t i = 0; optind + 2 == argc && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, argv[optind]) == 0)
			kind = &kinds[i];
	if (!kind || count < 1 || count > MAX_CLIENTS || size == 0) {
		fprintf(stderr, "usage: load KIND DIR [-c CLIENTS] [-n OPERATIONS | -t SECONDS] [-s BYTES]\n");
		return 2;
	}
	dir = argv[optind + 1];
	clients = mmap(NULL, sizeof(*clients) * MAX_CLIENTS, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (clients == MAP_FAILED)
		fail("mmap");
	open_data(kind);
	start = now();
	for (number = 0; number < count; number++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		random_state = 88172645463325252u + (uint64_t)number;
		if (pid == 0) {
			run_client(kind, &clients[number], start + (uint64_t)(seconds * 1e9));
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	for (long i = 0; i < count; i++)
		total += clients[i].operations;
	printf("%llu %.6f %llu %llu\n", (unsigned long long)total, (double)(now() - start) / 1e9,
	       (unsigned long long)percentile(clients, count, total, 0.50),
	       (unsigned long long)percentile(clients, count, total, 0.99));
	return failed;
}
