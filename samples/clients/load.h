/* The guest's memory, filled from a file. */
#ifndef SAMPLE_LOAD_H
#define SAMPLE_LOAD_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "guest.h"

/* `sharing` is MAP_SHARED or MAP_PRIVATE; NULL after a message. */
static unsigned char *load_guest(const char *path, int sharing)
{
	unsigned char *memory = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t bytes = -1;

	if (memory != MAP_FAILED && fd >= 0)
		bytes = read(fd, memory + GUEST_ENTRY, GUEST_BYTES - GUEST_ENTRY);
	if (fd >= 0)
		close(fd);
	if (bytes > 0)
		return memory;
	perror(path);
	return NULL;
}

#endif
