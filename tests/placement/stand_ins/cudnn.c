/* The functions of a stand-in for libcudnn that return more than success: it supports nothing. */
#include <stddef.h>
#include <stdlib.h>

size_t cudnnGetVersion(void) { return 92801; }
size_t cudnnGetCudartVersion(void) { return 13000; }
const char *cudnnGetErrorString(int error) { return "an error of the stand-in"; }

void cudnnGetLastErrorString(char *message, size_t size) {
  if (size) message[0] = 0;
}

int cudnnBackendCreateDescriptor(int type, void **descriptor) {
  *descriptor = calloc(1, 1024);
  return 0;
}

int cudnnBackendGetAttribute(void *descriptor, int name, int type, long requested, long *count, void *elements) {
  if (count) *count = 0;
  return 0;
}
