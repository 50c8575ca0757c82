"""Teachers: pretrained networks whose spatial features a student learns to predict."""

from theia_training.teachers.registry import list_teachers, load_teacher
from theia_training.teachers.teacher import Teacher, TeacherOutput, TeacherSpec

__all__ = ["Teacher", "TeacherOutput", "TeacherSpec", "list_teachers", "load_teacher"]
