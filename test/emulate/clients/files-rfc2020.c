/* A program of the interface of 2020 without a number left for a descriptor of the device: no partition, no VP. */
#include "common.h"
#include "../../../samples/clients/mshv-rfc2020.h"
#include <sys/resource.h>

int main(void)
{
	struct rfc_create_partition create = { 0 };
	struct rlimit files;
	uint32_t first = 0, second = 1, version = 0;
	int device = open_device(), partition, last;

	show("version", ioctl(device, RFC_REQUEST_VERSION, &version));
	partition = show("partition", ioctl(device, RFC_CREATE_PARTITION, &create));
	last = show("vp", ioctl(partition, RFC_CREATE_VP, &first));
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = last + 1;
	setrlimit(RLIMIT_NOFILE, &files);
	show("partition", ioctl(device, RFC_CREATE_PARTITION, &create));
	show("vp", ioctl(partition, RFC_CREATE_VP, &second));
	show("vp-again", ioctl(partition, RFC_CREATE_VP, &first));
	show("open", open_device());
	return 0;
}
