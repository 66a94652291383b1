"""The bundle: what leaves, as zip parts that are BagIt bags, and the separate reader that lets them leave.

Owned here, because only this step knows what a recipient gets: which instance goes into which part
(``plan``), how a part is written (``part``, ``bag``, ``tables``, ``card``), how a part is read back and
judged (``verify``, a delivery; ``verify_part``, one zip of it; the other ``verify_*`` modules, one subject
each), the job that does it part by part (``step``), and the report for the privacy officer (``report``). What
the pipeline has to hand in is in ``release``.

The verifying modules import nothing of the writing ones, and no DICOM code of ours: a mistake would pass
twice.
"""
