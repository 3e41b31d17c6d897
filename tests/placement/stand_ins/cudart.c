/*
 * A stand-in for libcudart: one device of the compute capability that STAND_IN_CAPABILITY names
 * ("90" for 9.0), whose memory is the host's and whose kernels do nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "driver_types.h"
#include "vector_types.h"

#define SUCCESS 0

/* The size of the device's memory, and the alignment of its allocations. */
#define MEMORY (80ull << 30)
#define ALIGNMENT 256

static int capability(void) {
  const char *text = getenv("STAND_IN_CAPABILITY");
  return text ? atoi(text) : 90;
}

static int allocate(void **pointer, size_t size) {
  *pointer = aligned_alloc(ALIGNMENT, (size / ALIGNMENT + 1) * ALIGNMENT);
  return SUCCESS;
}

static int create(void **handle) {
  *handle = calloc(1, 64);
  return SUCCESS;
}

/* Devices. */

int cudaGetDeviceCount(int *count) { *count = 1; return SUCCESS; }
int cudaGetDevice(int *device) { *device = 0; return SUCCESS; }
int cudaDriverGetVersion(int *version) { *version = 13000; return SUCCESS; }
int cudaRuntimeGetVersion(int *version) { *version = 13000; return SUCCESS; }

int cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device) {
  memset(properties, 0, sizeof *properties);
  strcpy(properties->name, "stand-in");
  properties->major = capability() / 10;
  properties->minor = capability() % 10;
  properties->totalGlobalMem = MEMORY;
  properties->multiProcessorCount = 132;
  properties->l2CacheSize = 50 << 20;
  properties->warpSize = 32;
  properties->regsPerBlock = 65536;
  properties->regsPerMultiprocessor = 65536;
  properties->sharedMemPerBlock = 49152;
  properties->sharedMemPerBlockOptin = 232448;
  properties->sharedMemPerMultiprocessor = 233472;
  properties->maxThreadsPerBlock = 1024;
  properties->maxThreadsPerMultiProcessor = 2048;
  properties->maxBlocksPerMultiProcessor = 32;
  properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
  properties->maxThreadsDim[2] = 64;
  properties->maxGridSize[0] = 2147483647;
  properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
  properties->cooperativeLaunch = 1;
  properties->unifiedAddressing = 1;
  properties->memoryPoolsSupported = 1;
  return SUCCESS;
}

int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = capability() / 10; break;
    case cudaDevAttrComputeCapabilityMinor: *value = capability() % 10; break;
    case cudaDevAttrMultiProcessorCount: *value = 132; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = 49152; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = 232448; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *value = 233472; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = 2048; break;
    case cudaDevAttrMaxRegistersPerBlock: *value = 65536; break;
    case cudaDevAttrWarpSize: *value = 32; break;
    case cudaDevAttrL2CacheSize: *value = 50 << 20; break;
    default: *value = 1;
  }
  return SUCCESS;
}

/* Memory. */

int cudaMalloc(void **pointer, size_t size) { return allocate(pointer, size); }
int cudaMallocHost(void **pointer, size_t size) { return allocate(pointer, size); }
int cudaHostAlloc(void **pointer, size_t size, unsigned flags) { return allocate(pointer, size); }
int cudaMallocFromPoolAsync(void **pointer, size_t size, void *pool, void *stream) { return allocate(pointer, size); }
int cudaFree(void *pointer) { free(pointer); return SUCCESS; }
int cudaFreeHost(void *pointer) { free(pointer); return SUCCESS; }
int cudaFreeAsync(void *pointer, void *stream) { free(pointer); return SUCCESS; }
int cudaMemPoolCreate(void **pool, void *properties) { return create(pool); }
int cudaMemPoolGetAttribute(void *pool, int attribute, size_t *value) { *value = 0; return SUCCESS; }

int cudaMemGetInfo(size_t *available, size_t *total) {
  *available = MEMORY / 8 * 7;
  *total = MEMORY;
  return SUCCESS;
}

int cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, void *pointer) {
  memset(attributes, 0, sizeof *attributes);
  attributes->type = cudaMemoryTypeDevice;
  return SUCCESS;
}

int cudaMemcpy(void *to, void *from, size_t size, int kind) { memmove(to, from, size); return SUCCESS; }
int cudaMemset(void *to, int value, size_t size) { memset(to, value, size); return SUCCESS; }
int cudaMemsetAsync(void *to, int value, size_t size, void *stream) { memset(to, value, size); return SUCCESS; }

int cudaMemcpyAsync(void *to, void *from, size_t size, int kind, void *stream) {
  if (size) memmove(to, from, size);
  return SUCCESS;
}

int cudaMemcpy2DAsync(char *to, size_t to_pitch, char *from, size_t from_pitch, size_t width, size_t height,
                      int kind, void *stream) {
  for (size_t row = 0; row < height; row++) memmove(to + row * to_pitch, from + row * from_pitch, width);
  return SUCCESS;
}

int cudaMemcpyFromSymbol(void *to, void *symbol, size_t size, size_t offset, int kind) {
  memset(to, 0, size);
  return SUCCESS;
}

/* Streams, events and kernels. */

int cudaStreamCreate(void **stream) { return create(stream); }
int cudaStreamCreateWithFlags(void **stream, unsigned flags) { return create(stream); }
int cudaStreamIsCapturing(void *stream, int *status) { *status = 0; return SUCCESS; }
int cudaEventCreate(void **event) { return create(event); }
int cudaEventCreateWithFlags(void **event, unsigned flags) { return create(event); }
int cudaEventElapsedTime(float *milliseconds, void *from, void *to) { *milliseconds = 1; return SUCCESS; }
int cudaLibraryLoadData(void **library) { return create(library); }
int cudaLibraryGetKernel(void **kernel) { return create(kernel); }
int __cudaGetKernel(void **kernel, void *function) { *kernel = function; return SUCCESS; }
unsigned __cudaPushCallConfiguration(void) { return SUCCESS; }

void **__cudaRegisterFatBinary(void *binary) {
  static char handle[64];
  return (void **)handle;
}

int __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void **stream) {
  *shared = 0;
  *stream = NULL;
  return SUCCESS;
}

int cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, void *function) {
  memset(attributes, 0, sizeof *attributes);
  attributes->binaryVersion = capability();
  attributes->ptxVersion = 90;
  attributes->maxThreadsPerBlock = 1024;
  attributes->numRegs = 64;
  return SUCCESS;
}

int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, void *function, int size, size_t shared,
                                                           unsigned flags) {
  *blocks = 2;
  return SUCCESS;
}

/* The driver has no function of that name. */
int cudaGetDriverEntryPointByVersion(char *name, void **entry, unsigned version, unsigned long long flags,
                                     int *result) {
  *entry = NULL;
  if (result) *result = cudaDriverEntryPointSymbolNotFound;
  return SUCCESS;
}

const char *cudaGetErrorString(int error) { return "an error of the stand-in"; }
const char *cudaGetErrorName(int error) { return "stand-in"; }
