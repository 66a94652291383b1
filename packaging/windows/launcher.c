/* Starts the program with the interpreter that lies beside: consign.exe the window, consign-cli.exe the command line.

   The interpreter is a process of its own, as its maker signed it, and spawns its workers from itself. It ends with us,
   whoever ends us, and we end with its exit code. */

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#ifdef CONSOLE
#define PYTHON L"python.exe"
#define START L"-c \"from app.__main__ import command_line; command_line()\""
#else
#define PYTHON L"pythonw.exe"
#define START L"-m app"
#endif
#define LONGEST 32767

static int fail(const wchar_t *what)
{
#ifdef CONSOLE
    fwprintf(stderr, L"Consign cannot start: %ls\n", what);
#else
    MessageBoxW(NULL, what, L"Consign cannot start", MB_OK | MB_ICONERROR);
#endif
    return 3;
}

/* Ctrl-C reaches the interpreter, too: only it decides what it means. */
static BOOL WINAPI leave_to_child(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

/* What follows our own name in the command line, as it was typed. */
static const wchar_t *arguments(void)
{
    const wchar_t *rest = GetCommandLineW();
    BOOL quoted = FALSE;
    for (; *rest && (quoted || (*rest != L' ' && *rest != L'\t')); rest++)
        if (*rest == L'"')
            quoted = !quoted;
    return rest;
}

static int run(void)
{
    static wchar_t folder[LONGEST], program[LONGEST], line[LONGEST];
    DWORD length = GetModuleFileNameW(NULL, folder, LONGEST), code = 3;
    if (length == 0 || length >= LONGEST - 32)
        return fail(L"its own place is unknown.");
    *wcsrchr(folder, L'\\') = 0;
    _snwprintf(program, LONGEST, L"%ls\\" PYTHON, folder);
    if (_snwprintf(line, LONGEST, L"\"%ls\" -B " START L"%ls", program, arguments()) < 0)
        return fail(L"the command is too long.");

    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    SetConsoleCtrlHandler(leave_to_child, TRUE);

    STARTUPINFOW how = {.cb = sizeof how};
    PROCESS_INFORMATION child;
    GetStartupInfoW(&how);
    if (!CreateProcessW(program, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &how, &child))
        return fail(L"a file of it is missing or blocked. Install it again, or ask your IT department.");
    AssignProcessToJobObject(job, child.hProcess);
    ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}

#ifdef CONSOLE
int wmain(void)
{
    return run();
}
#else
int WINAPI wWinMain(HINSTANCE self, HINSTANCE before, PWSTR line, int show)
{
    (void)self, (void)before, (void)line, (void)show;
    return run();
}
#endif
