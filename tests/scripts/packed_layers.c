/* Computes every layer of an exported network from its packed integers alone, as a program on another machine would, and
 * compares with golden vectors: packed_layers PACKED_FOLDER GOLDEN_FOLDER. Exit status 1 when a value differs. Compiled with
 * -DNETWORK=<name of the array in network.h>. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

static unsigned char *read_file(const char *folder, const char *name, long *size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  *size = ftell(file);
  rewind(file);
  unsigned char *data = malloc((size_t)*size);
  if (fread(data, 1, (size_t)*size, file) != (size_t)*size) exit(2);
  fclose(file);
  return data;
}

/* Values of an .npy file: behind its header. */
static const void *npy(const char *folder, int layer, const char *what, long *bytes) {
  char name[64];
  snprintf(name, sizeof name, "layer%03d_%s.npy", layer, what);
  unsigned char *data = read_file(folder, name, bytes);
  const long header = 10 + data[8] + 256L * data[9];
  *bytes -= header;
  return data + header;
}

/* Code `index` of `bits` bits behind `first`. */
static int code_at(const unsigned char *first, long index, int bits) {
  int code = 0;
  for (int bit = 0; bit < bits; ++bit) {
    const long at = index * bits + bit;
    code |= ((first[at / 8] >> (at % 8)) & 1) << bit;
  }
  return code >= 1 << (bits - 1) ? code - (1 << bits) : code;
}

int main(int argc, char **argv) {
  long size = 0;
  long differ = 0;
  long compared = 0;
  if (argc != 3) return 2;
  const unsigned char *weights = read_file(argv[1], "weights.bin", &size);
  const unsigned char *biases = read_file(argv[1], "biases.bin", &size);
  const int layers = (int)(sizeof NETWORK / sizeof NETWORK[0]);
  for (int n = 0; n < layers; ++n) {
    const struct bittern_layer *l = &NETWORK[n];
    long bytes = 0;
    const int16_t *input = npy(argv[2], n, "input", &bytes);
    const long image_in = (long)l->in_channels * l->in_height * l->in_width;
    const long images = bytes / 2 / image_in;
    const int16_t *output = l->rescales > 0 ? npy(argv[2], n, "output", &bytes) : NULL;
    const int32_t *wanted = npy(argv[2], n, "sums", &bytes);
    const int per_group = l->in_channels / l->groups;
    const long length = (long)per_group * l->kernel_h * l->kernel_w;
    const long stride = (length * l->weight_bits + 7) / 8;
    long place = 0;
    for (long image = 0; image < images; ++image) {
      for (int o = 0; o < l->out_channels; ++o) {
        const int group = o / (l->out_channels / l->groups);
        int32_t bias = 0;
        memcpy(&bias, biases + 4L * (l->bias + (uint32_t)o), 4);
        for (int y = 0; y < l->out_height; ++y) {
          for (int x = 0; x < l->out_width; ++x, ++place, ++compared) {
            int32_t sum = 0;
            int32_t window = 0;
            long index = 0;
            for (int c = 0; c < per_group; ++c) {
              for (int ky = 0; ky < l->kernel_h; ++ky) {
                for (int kx = 0; kx < l->kernel_w; ++kx, ++index) {
                  const int row = y * l->stride_h + ky * l->dilation_h - l->pad_top;
                  const int column = x * l->stride_w + kx * l->dilation_w - l->pad_left;
                  if (row < 0 || row >= l->in_height || column < 0 || column >= l->in_width) continue;
                  const int value =
                      input[image * image_in + ((long)(group * per_group + c) * l->in_height + row) * l->in_width + column];
                  sum += value * code_at(weights + l->weights + o * stride, index, l->weight_bits);
                  window += value;
                }
              }
            }
            if (l->odd_weights) sum = 2 * sum + window;
            if (sum != wanted[place]) ++differ;
            if (output == NULL) continue;
            const int one = l->rescales == 1 ? 0 : o;
            const int64_t half = (int64_t)1 << (l->shift[one] - 1);
            int64_t code = (((int64_t)sum + bias) * l->multiplier[one] + half) >> l->shift[one];
            if (code < l->output_low) code = l->output_low;
            if (code > l->output_high) code = l->output_high;
            if (code != output[place]) ++differ;
          }
        }
      }
    }
  }
  printf("%d layers, %ld outputs, %ld differ\n", layers, compared, differ);
  return differ != 0 || compared == 0;
}
