# Makes the ROS 2 wheels of PyPI usable for building messages. Their CMake exports name include folders of the machine that built
# the wheels, and nothing tells CMake where pip put them. pip's build includes this file by itself (SKBUILD); colcon on top of pip
# wheels gets it with --cmake-args -DCMAKE_PROJECT_INCLUDE=<this file>; on an apt installation of ROS 2 it is not used.
cmake_minimum_required(VERSION 3.20)

find_package(Python3 REQUIRED COMPONENTS Interpreter Development.Module)
execute_process(
  COMMAND "${Python3_EXECUTABLE}" -c
    "import ament_package, pathlib; print(pathlib.Path(ament_package.__file__).resolve().parents[4])"
  OUTPUT_VARIABLE theia_wheels_prefix OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "ROS 2 wheels: ${theia_wheels_prefix}")
list(PREPEND CMAKE_PREFIX_PATH "${theia_wheels_prefix}")
set(ENV{AMENT_PREFIX_PATH} "${theia_wheels_prefix}:$ENV{AMENT_PREFIX_PATH}")

# Runs when the directory's CMakeLists.txt is done, that is when every package has been found.
function(theia_drop_missing_include_folders)
  get_property(targets DIRECTORY "${CMAKE_SOURCE_DIR}" PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folders)
      continue()
    endif()
    set(present "")
    foreach(folder IN LISTS folders)
      if(folder MATCHES "\\$<" OR EXISTS "${folder}")
        list(APPEND present "${folder}")
      endif()
    endforeach()
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${present}")
  endforeach()
endfunction()
cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL theia_drop_missing_include_folders)
