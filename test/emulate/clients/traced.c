/* A program that is traced gives private memory to a guest: nobody else can move it, and it hears of that. */
#include "common.h"
#include <sys/ptrace.h>
#include <sys/wait.h>

int main(void)
{
	pid_t child = fork();
	int status, partition;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		partition = create_partition(open_device());
		ioctl(partition, MSHV_INITIALIZE_PARTITION);
		show("private", give_memory(partition, new_page(MAP_PRIVATE), 4096, 1));
		show("again", give_memory(partition, new_page(MAP_PRIVATE), 4096, 1));
		_exit(0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, child, NULL, NULL);
	show("traced", WEXITSTATUS(status));
	return 0;
}
