/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What memory_ll.c and bare.c serve: the files f0 to f63 of one byte, whose names and attributes the
 * kernel may not remember, and "data" of 4 MiB, of which it may. So a read of data is one request, READ.
 */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_ROOT = 1, MEMORY_DATA = 2, MEMORY_FIRST = 3, MEMORY_FILES = 64 };

static char memory_data[4 << 20];

/* The inode's number, or 0. */
static inline uint64_t memory_find(const char *name)
{
	unsigned long n;
	char *end;

	if (strcmp(name, "data") == 0)
		return MEMORY_DATA;
	if (name[0] != 'f' || name[1] < '0' || name[1] > '9')
		return 0;
	n = strtoul(name + 1, &end, 10);
	return *end || n >= MEMORY_FILES ? 0 : MEMORY_FIRST + n;
}

static inline uint64_t memory_size(uint64_t ino)
{
	return ino == MEMORY_ROOT ? 0 : ino == MEMORY_DATA ? sizeof(memory_data) : 1;
}

/* For how many seconds the kernel may remember name and attributes. */
static inline unsigned int memory_valid(uint64_t ino)
{
	return ino == MEMORY_DATA ? 3600 : 0;
}

/* How much of a file there is to read at a place; all of it comes from memory_data. */
static inline uint64_t memory_left(uint64_t ino, uint64_t offset, uint64_t size)
{
	uint64_t end = memory_size(ino);

	if (offset >= end)
		return 0;
	return end - offset < size ? end - offset : size;
}

#endif
