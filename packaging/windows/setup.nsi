; The setup for one user, without administrator rights. Silent: /S, in another folder: /D=FOLDER (last, unquoted).
; makensis -DVERSION=... -DTREE=... -DOUT=... setup.nsi
Target amd64-unicode
Unicode true
!ifdef QUICK ; for trials: a minute instead of a quarter of an hour
SetCompressor zlib
!else
SetCompressor /SOLID lzma
!endif
!include MUI2.nsh
!include FileFunc.nsh

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Consign"
Name "Consign"
OutFile "${OUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\Consign"
InstallDirRegKey HKCU "${KEY}" "InstallLocation"
ManifestDPIAware true
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "Consign"
VIAddVersionKey "FileDescription" "Consign setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "The Consign authors, Apache License 2.0"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\consign.exe"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"
!insertmacro MUI_LANGUAGE "Spanish"
!insertmacro MUI_LANGUAGE "French"
!insertmacro MUI_LANGUAGE "PortugueseBR"

Section
  ; An update: only the program's own parts go, whatever else lies in the folder.
  RMDir /r "$INSTDIR\lib"
  SetOutPath "$INSTDIR"
  File /r "${TREE}/*.*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Consign.lnk" "$INSTDIR\consign.exe" "" "$INSTDIR\consign.ico"
  WriteRegStr HKCU "Software\Classes\.consign" "" "Consign.Protocol"
  WriteRegStr HKCU "Software\Classes\Consign.Protocol" "" "Consign protocol"
  WriteRegStr HKCU "Software\Classes\Consign.Protocol\DefaultIcon" "" "$INSTDIR\consign.ico"
  WriteRegStr HKCU "Software\Classes\Consign.Protocol\shell\open\command" "" '"$INSTDIR\consign.exe" --window "%1"'
  WriteRegStr HKCU "${KEY}" "DisplayName" "Consign"
  WriteRegStr HKCU "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${KEY}" "DisplayIcon" "$INSTDIR\consign.ico"
  WriteRegStr HKCU "${KEY}" "Publisher" "The Consign authors"
  WriteRegStr HKCU "${KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKCU "${KEY}" "EstimatedSize" "$0"
SectionEnd

Section "Uninstall"
  ; Never the whole folder: somebody may have chosen one that holds other things.
  RMDir /r "$INSTDIR\lib"
  !include "${FILES}"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Consign.lnk"
  DeleteRegKey HKCU "Software\Classes\.consign"
  DeleteRegKey HKCU "Software\Classes\Consign.Protocol"
  DeleteRegKey HKCU "${KEY}"
SectionEnd
