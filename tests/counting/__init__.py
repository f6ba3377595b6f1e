"""What is produced and what comes is counted, message by message,
while nodes of a Kafka fail.

Each message says who has sent it, to which partition, and which one it is
(``message.py``).  ``producer.tcl`` writes to a file what it is going to send and what
its delivery reports say, ``reader.tcl`` what its callback gets; ``histories.py`` reads
these files and ``checker.py`` says what is wrong with them.  ``trial.py`` runs it all
on a cluster, with what ``faults.py`` does to that; ``python -m counting`` does it by
hand.
"""
