/* ioctls of the drivers' type on a file that is none of theirs, from a child and its thread too. */
#include "../../emulate/clients/common.h"
#include <pthread.h>
#include <sys/wait.h>

static void call(const char *text)
{
	char in[16] = { 0 }, out[16] = { 0 };
	struct mshv_root_hvcall hypercall = { .code = 0x44, .in_sz = 16, .out_sz = 16 };
	int file = open("/dev/null", O_RDWR);

	strcpy(in, text);
	hypercall.in_ptr = (uintptr_t)in;
	hypercall.out_ptr = (uintptr_t)out;
	show(text, ioctl(file, MSHV_ROOT_HVCALL, &hypercall));
	close(file);
}

static void *in_thread(void *unused)
{
	call("thread");
	return unused;
}

int main(void)
{
	pthread_t thread;
	int status;

	call("main");
	if (fork() == 0) {
		pthread_create(&thread, NULL, in_thread, NULL);
		pthread_join(thread, NULL);
		call("child");
		_exit(3);
	}
	wait(&status);
	return WEXITSTATUS(status) + 4;
}
