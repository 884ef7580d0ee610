/* A child that outlives its parent keeps the partition; a child that only runs another program does not. */
#include "common.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
	int device = open_device();
	int partition = create_partition(device);
	int parent = getpid();
	pid_t child;

	if (argc < 2)
		return 2;
	show("initialize", ioctl(partition, MSHV_INITIALIZE_PARTITION));
	show("system", system("true"));
	child = fork();
	if (child == 0) {
		if (strcmp(argv[1], "exit") == 0) {
			/* The parent ends first: what it leaves is the child's. */
			while (getppid() == parent)
				usleep(1000);
		}
		show("child", create_vp(partition, 0));
		_exit(0);
	}
	if (strcmp(argv[1], "exit") == 0)
		return 0;
	if (strcmp(argv[1], "close") == 0) {
		close(partition);
		close(device);
	}
	waitpid(child, NULL, 0);
	if (strcmp(argv[1], "wait") == 0)
		show("parent", create_vp(partition, 1));
	return 0;
}
