// Made by scripts/make-systemd-directives.ts from `systemd --dump-configuration-items`; not edited by hand.

const resources = `
 AllowedCPUs AllowedMemoryNodes BPFProgram BindNetworkInterface BlockIOAccounting BlockIODeviceWeight
 BlockIOReadBandwidth BlockIOWeight BlockIOWriteBandwidth CPUAccounting CPUPressureThresholdSec CPUPressureWatch
 CPUQuota CPUQuotaPeriodSec CPUSetPartition CPUShares CPUWeight CoredumpReceive DefaultMemoryLow DefaultMemoryMin
 DefaultStartupMemoryLow Delegate DelegateSubgroup DeviceAllow DevicePolicy DisableControllers IOAccounting
 IODeviceLatencyTargetSec IODeviceWeight IOPressureThresholdSec IOPressureWatch IOReadBandwidthMax IOReadIOPSMax
 IOWeight IOWriteBandwidthMax IOWriteIOPSMax IPAccounting IPAddressAllow IPAddressDeny IPEgressFilterPath
 IPIngressFilterPath ManagedOOMMemoryPressure ManagedOOMMemoryPressureDurationSec ManagedOOMMemoryPressureLimit
 ManagedOOMPreference ManagedOOMSwap MemoryAccounting MemoryHigh MemoryLimit MemoryLow MemoryMax MemoryMin
 MemoryPressureThresholdSec MemoryPressureWatch MemorySwapMax MemoryZSwapMax MemoryZSwapWriteback NFTSet OOMRules
 RestrictNetworkInterfaces Slice SocketBindAllow SocketBindDeny StartupAllowedCPUs StartupAllowedMemoryNodes
 StartupBlockIOWeight StartupCPUShares StartupCPUWeight StartupIOWeight StartupMemoryHigh StartupMemoryLow
 StartupMemoryMax StartupMemorySwapMax StartupMemoryZSwapMax TasksAccounting TasksMax
`;

const processes = `
 AmbientCapabilities AppArmorProfile BPFDelegateAttachments BPFDelegateCommands BPFDelegateMaps BPFDelegatePrograms
 BindLogSockets BindPaths BindReadOnlyPaths CPUAffinity CPUSchedulingPolicy CPUSchedulingPriority
 CPUSchedulingResetOnFork CacheDirectory CacheDirectoryAccounting CacheDirectoryMode CacheDirectoryQuota
 CapabilityBoundingSet ConfigurationDirectory ConfigurationDirectoryMode CoredumpFilter DelegateNamespaces DynamicUser
 Environment EnvironmentFile ExecPaths ExecSearchPath ExtensionDirectories ExtensionImagePolicy ExtensionImages
 FinalKillSignal Group IOSchedulingClass IOSchedulingPriority IPCNamespacePath IgnoreSIGPIPE ImportCredential
 InaccessibleDirectories InaccessiblePaths KeyringMode KillMode KillSignal LimitAS LimitCORE LimitCPU LimitDATA
 LimitFSIZE LimitLOCKS LimitMEMLOCK LimitMSGQUEUE LimitNICE LimitNOFILE LimitNPROC LimitRSS LimitRTPRIO LimitRTTIME
 LimitSIGPENDING LimitSTACK LoadCredential LoadCredentialEncrypted LockPersonality LogExtraFields LogFilterPatterns
 LogLevelMax LogNamespace LogRateLimitBurst LogRateLimitIntervalSec LogsDirectory LogsDirectoryAccounting
 LogsDirectoryMode LogsDirectoryQuota MemoryDenyWriteExecute MemoryKSM MemoryTHP MountAPIVFS MountFlags
 MountImagePolicy MountImages NUMAMask NUMAPolicy NetworkNamespacePath Nice NoExecPaths NoNewPrivileges OOMScoreAdjust
 PAMName PassEnvironment Personality PrivateBPF PrivateDevices PrivateIPC PrivateMounts PrivateNetwork PrivatePIDs
 PrivateTmp PrivateUsers ProcSubset ProtectClock ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs
 ProtectKernelModules ProtectKernelTunables ProtectProc ProtectSystem ReadOnlyDirectories ReadOnlyPaths
 ReadWriteDirectories ReadWritePaths RemoveIPC RestartKillSignal RestrictAddressFamilies RestrictFileSystems
 RestrictNamespaces RestrictRealtime RestrictSUIDSGID RootDirectory RootEphemeral RootHash RootHashSignature RootImage
 RootImageOptions RootImagePolicy RootMStack RootVerity RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve
 SELinuxContext SecureBits SendSIGHUP SendSIGKILL SetCredential SetCredentialEncrypted SetLoginEnvironment
 SmackProcessLabel StandardError StandardInput StandardInputData StandardInputText StandardOutput StateDirectory
 StateDirectoryAccounting StateDirectoryMode StateDirectoryQuota SupplementaryGroups SyslogFacility SyslogIdentifier
 SyslogLevel SyslogLevelPrefix SystemCallArchitectures SystemCallErrorNumber SystemCallFilter SystemCallLog TTYColumns
 TTYPath TTYReset TTYRows TTYVHangup TTYVTDisallocate TemporaryFileSystem TimeoutCleanSec TimeoutSec TimerSlackNSec
 UMask UnsetEnvironment User UserNamespacePath UtmpIdentifier UtmpMode WatchdogSignal WorkingDirectory
`;

/** Section → its directives, separated by blanks and newlines. */
export const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  Unit: [
    `
 After AllowIsolate AssertACPower AssertArchitecture AssertCPUFeature AssertCPUPressure AssertCPUs AssertCapability
 AssertControlGroupController AssertCredential AssertDirectoryNotEmpty AssertEnvironment AssertFileIsExecutable
 AssertFileNotEmpty AssertFirstBoot AssertFraction AssertGroup AssertHost AssertIOPressure AssertKernelCommandLine
 AssertKernelModuleLoaded AssertKernelVersion AssertMachineTag AssertMemory AssertMemoryPressure AssertNeedsUpdate
 AssertOSRelease AssertPathExists AssertPathExistsGlob AssertPathIsDirectory AssertPathIsEncrypted
 AssertPathIsMountPoint AssertPathIsReadWrite AssertPathIsSocket AssertPathIsSymbolicLink AssertSecurity AssertUser
 AssertVersion AssertVirtualization Before BindTo BindsTo CollectMode ConditionACPower ConditionArchitecture
 ConditionCPUFeature ConditionCPUPressure ConditionCPUs ConditionCapability ConditionControlGroupController
 ConditionCredential ConditionDirectoryNotEmpty ConditionEnvironment ConditionFileIsExecutable ConditionFileNotEmpty
 ConditionFirmware ConditionFirstBoot ConditionFraction ConditionGroup ConditionHost ConditionIOPressure
 ConditionKernelCommandLine ConditionKernelModuleLoaded ConditionKernelVersion ConditionMachineTag ConditionMemory
 ConditionMemoryPressure ConditionNeedsUpdate ConditionOSRelease ConditionPathExists ConditionPathExistsGlob
 ConditionPathIsDirectory ConditionPathIsEncrypted ConditionPathIsMountPoint ConditionPathIsReadWrite
 ConditionPathIsSocket ConditionPathIsSymbolicLink ConditionSecurity ConditionUser ConditionVersion
 ConditionVirtualization Conflicts DefaultDependencies Description Documentation FailureAction FailureActionExitStatus
 IgnoreOnIsolate JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument JobTimeoutSec JoinsNamespaceOf
 OnFailure OnFailureIsolate OnFailureJobMode OnSuccess OnSuccessJobMode PartOf PropagateReloadFrom PropagateReloadTo
 PropagatesReloadTo PropagatesStopTo RebootArgument RefuseManualStart RefuseManualStop ReloadPropagatedFrom Requires
 RequiresMountsFor RequiresOverridable Requisite RequisiteOverridable SourcePath StartLimitAction StartLimitBurst
 StartLimitInterval StartLimitIntervalSec StopPropagatedFrom StopWhenUnneeded SuccessAction SuccessActionExitStatus
 SurviveFinalKillSignal Upholds Wants WantsMountsFor
`,
  ],
  Service: [
    resources,
    processes,
    `
 BusName ExecCondition ExecReload ExecReloadPost ExecStart ExecStartPost ExecStartPre ExecStop ExecStopPost ExitType
 FailureAction FileDescriptorStoreMax FileDescriptorStorePreserve GuessMainPID LUOSession NonBlocking NotifyAccess
 OOMPolicy OpenFile PIDFile PermissionsStartOnly RebootArgument RefreshOnReload ReloadSignal RemainAfterExit Restart
 RestartForceExitStatus RestartMaxDelaySec RestartMode RestartPreventExitStatus RestartRandomizedDelaySec RestartSec
 RestartSteps RootDirectoryStartOnly RuntimeMaxSec RuntimeRandomizedExtraSec Sockets StartLimitAction StartLimitBurst
 StartLimitInterval SuccessExitStatus TimeoutAbortSec TimeoutStartFailureMode TimeoutStartSec TimeoutStopFailureMode
 TimeoutStopSec Type USBFunctionDescriptors USBFunctionStrings WatchdogSec
`,
  ],
  Socket: [
    resources,
    processes,
    `
 Accept AcceptFileDescriptors Backlog BindIPv6Only BindToDevice Broadcast DeferAcceptSec DeferTrigger
 DeferTriggerMaxSec DirectoryMode ExecStartPost ExecStartPre ExecStopPost ExecStopPre FileDescriptorName FlushPending
 FreeBind IPTOS IPTTL KeepAlive KeepAliveIntervalSec KeepAliveProbes KeepAliveTimeSec ListenDatagram ListenFIFO
 ListenMessageQueue ListenNetlink ListenSequentialPacket ListenSpecial ListenStream ListenUSBFunction Mark
 MaxConnections MaxConnectionsPerSource MessageQueueMaxMessages MessageQueueMessageSize NoDelay PassCredentials
 PassFileDescriptorsToExec PassPIDFD PassPacketInfo PassSecurity PipeSize PollLimitBurst PollLimitIntervalSec Priority
 ReceiveBuffer RemoveOnStop ReusePort SELinuxContextFromNet SendBuffer Service SmackLabel SmackLabelIPIn
 SmackLabelIPOut SocketGroup SocketMode SocketProtocol SocketUser Symlinks TCPCongestion Timestamping Transparent
 TriggerLimitBurst TriggerLimitIntervalSec Writable XAttrAccept XAttrEntryPoint XAttrListen
`,
  ],
  Mount: [
    resources,
    processes,
    `
 DirectoryMode ForceUnmount LazyUnmount Options ReadWriteOnly SloppyOptions Type What Where
`,
  ],
  Automount: [
    `
 DirectoryMode ExtraOptions TimeoutIdleSec Where
`,
  ],
  Swap: [
    resources,
    processes,
    `
 Options Priority What
`,
  ],
  Timer: [
    `
 AccuracySec DeferReactivation FixedRandomDelay OnActiveSec OnBootSec OnCalendar OnClockChange OnStartupSec
 OnTimezoneChange OnUnitActiveSec OnUnitInactiveSec Persistent RandomizedDelaySec RandomizedOffsetSec
 RemainAfterElapse Unit WakeSystem
`,
  ],
  Path: [
    `
 DirectoryMode DirectoryNotEmpty MakeDirectory PathChanged PathExists PathExistsGlob PathModified TriggerLimitBurst
 TriggerLimitIntervalSec Unit
`,
  ],
  Slice: [
    resources,
    `
 ActivatingConcurrencyMax ConcurrencyHardMax ConcurrencySoftMax
`,
  ],
  Scope: [
    resources,
    `
 FinalKillSignal KillMode KillSignal OOMPolicy RestartKillSignal RuntimeMaxSec RuntimeRandomizedExtraSec SendSIGHUP
 SendSIGKILL TimeoutStopSec WatchdogSignal
`,
  ],
  Install: [
    `
 Alias Also DefaultInstance RequiredBy UpheldBy WantedBy
`,
  ],
};

/** The directives that take yes or no wherever they stand. */
export const BOOLEANS = `
 Accept AcceptFileDescriptors AllowIsolate BlockIOAccounting Broadcast CPUAccounting CPUSchedulingResetOnFork
 CacheDirectoryAccounting CoredumpReceive DefaultDependencies DeferReactivation DynamicUser FixedRandomDelay
 FlushPending ForceUnmount FreeBind GuessMainPID IOAccounting IPAccounting IgnoreOnIsolate IgnoreSIGPIPE KeepAlive
 LazyUnmount LockPersonality LogsDirectoryAccounting MakeDirectory MemoryAccounting MemoryDenyWriteExecute
 MemoryZSwapWriteback NoDelay NoNewPrivileges NonBlocking OnClockChange OnFailureIsolate OnTimezoneChange
 PassCredentials PassFileDescriptorsToExec PassPIDFD PassPacketInfo PassSecurity PermissionsStartOnly Persistent
 PrivateDevices PrivateIPC PrivateNetwork ProtectClock ProtectKernelLogs ProtectKernelModules ProtectKernelTunables
 ReadWriteOnly RefuseManualStart RefuseManualStop RemainAfterElapse RemainAfterExit RemoveIPC RemoveOnStop
 RestrictRealtime RestrictSUIDSGID ReusePort RootDirectoryStartOnly RootEphemeral SELinuxContextFromNet SendSIGHUP
 SendSIGKILL SloppyOptions StateDirectoryAccounting StopWhenUnneeded SurviveFinalKillSignal SyslogLevelPrefix TTYReset
 TTYVHangup TTYVTDisallocate TasksAccounting Transparent WakeSystem Writable
`;
