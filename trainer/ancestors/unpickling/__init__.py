"""Unpickling: a program of its own, which reads what a file of torch holds and does nothing that the file says.

    python -I -S -c "..." FOLDER model.pth weights.safetensors facts.json          as `torch_files.py` starts it

A pickle is a program that may call any function there is. Here each name in it is looked up in a closed list
(`reader.py`): some stand for plain data, others (a config of OmegaConf, an enum) for an `Inert`, which remembers what
it was given and can do nothing; any other name ends the reading. Nothing is imported for a pickle, and nothing of
torch, NumPy or the rest of dsprep is in this process: the standard library is all that it finds. It has bounds on
memory, time and files, and ends at the first audit event (`program.py`). Tensors are copied byte by byte from their
storages, after their places have been checked against the file.
"""
