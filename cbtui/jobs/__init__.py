"""Task files: found, read, checked, and turned into tasks. A bad file is an answer that says what to mend."""

from cbtui.jobs.loader import Loaded, job_of_folder, load_task, load_tasks
from cbtui.jobs.scan import find_task_files, is_task_name, natural_order

__all__ = ["Loaded", "find_task_files", "is_task_name", "job_of_folder", "load_task", "load_tasks", "natural_order"]
