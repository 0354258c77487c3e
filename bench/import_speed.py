"""Import speed and memory beside the floor, in one run.

    python -m bench.import_speed SOURCE [--copies 10]      from the root of the checkout

SOURCE is a folder with train-clean-100.tar.gz in LibriSpeech's layout. Its clips are written `--copies` times
under other names, then converted three ways, each in processes of its own, one worker:

    floor      a bare loop: soundfile.read, soxr where rates differ, soundfile.write; loose files in, files out
    folder     dsprep import from the same loose files
    archive    dsprep import from one .tar.gz of them

Speed is seconds of audio per second of CPU, user and system, of the process and its children; the ratio to
the floor is what counts. Memory is the peak of the sum over the process and its workers of what they hold
alone (proportional set size), sampled each 50 ms, for 1 and for `--copies` copies.
"""
